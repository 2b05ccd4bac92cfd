import css from './Values.module.css'
import { ActionIcon, CopyButton, Group, Text, Tooltip } from '@mantine/core'
import { IconCheck, IconCopy, IconX } from '@tabler/icons-react'
import { number } from '../../lib/format'
import type { Stroke } from '../../lib/palette'
import { strings } from '../../strings'
import type { Hover, Row } from './cursor'
import { xLabel, type XKind } from './ticks'

const ROWS = 8

/** A short piece of a run's line, for legends. */
export function Swatch({ stroke }: { stroke: Stroke }) {
  return (
    <svg width={22} height={8} aria-hidden className={css.swatch}>
      <line
        x1={0}
        x2={22}
        y1={4}
        y2={4}
        stroke={stroke.color}
        strokeWidth={2.5}
        strokeDasharray={stroke.dash.join(' ')}
      />
    </svg>
  )
}

/** Show the values at the cursor, nearest first. A click pins them, so that they can be selected and copied. */
export function Values({
  hover,
  kind,
  pinned,
  onClose,
}: {
  hover: Hover
  kind: XKind
  pinned: boolean
  onClose: () => void
}) {
  const rows = pinned ? hover.rows : hover.rows.slice(0, ROWS)
  const text = strings.charts.line
  return (
    <div role="group" aria-label={text.values} className={css.values} data-pinned={pinned || undefined}>
      <Group justify="space-between" wrap="nowrap" gap="xs">
        <Text size="xs" fw={600}>
          {xLabel(hover.x, kind)}
        </Text>
        {pinned && (
          <Group gap={2} wrap="nowrap">
            <CopyButton value={copyable(hover.rows)}>
              {({ copied, copy }) => (
                <Tooltip label={copied ? text.copied : text.copy}>
                  <ActionIcon
                    size="sm"
                    variant="subtle"
                    color="gray"
                    onClick={copy}
                    aria-label={copied ? text.copied : text.copy}
                  >
                    {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
                  </ActionIcon>
                </Tooltip>
              )}
            </CopyButton>
            <ActionIcon size="sm" variant="subtle" color="gray" onClick={onClose} aria-label={text.close}>
              <IconX size={14} />
            </ActionIcon>
          </Group>
        )}
      </Group>
      <table>
        <tbody>
          {rows.map((row, i) => (
            <tr key={row.trace.id} data-nearest={i === 0 || undefined}>
              <td>
                <Swatch stroke={row.trace.stroke} />
              </td>
              <td className={css.name}>{row.trace.name}</td>
              <td className={css.number}>{number(row.trace.y[row.index]!, 5)}</td>
              <td className={css.aside}>{aside(row)}</td>
              <td className={css.aside}>
                {row.trace.x[row.index] !== hover.x && `${text.at} ${xLabel(row.trace.x[row.index]!, kind)}`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {!pinned && (
        <Text size="xs" c="dimmed">
          {hover.rows.length > ROWS ? `${text.more(hover.rows.length - ROWS)} · ` : ''}
          {hover.touched ? text.pinByTouch : text.pin}
        </Text>
      )}
    </div>
  )
}

/** Return the raw value of a smoothed point, or the extremes of a bucket. */
function aside({ trace, index }: Row): string {
  if (trace.raw) return `${strings.charts.line.raw} ${number(trace.raw[index]!, 5)}`
  if (!trace.low || !trace.high || trace.low[index] === trace.high[index]) return ''
  return strings.charts.line.range(number(trace.low[index]!, 4), number(trace.high[index]!, 4))
}

/** Return tab-separated text for spreadsheets: name, x, value, and the raw value if it is smoothed. */
const copyable = (rows: Row[]): string =>
  rows
    .map(({ trace, index }) =>
      [trace.name, trace.x[index], trace.y[index], ...(trace.raw ? [trace.raw[index]] : [])].join('\t'),
    )
    .join('\n')

/** Return the values as a sentence for screen readers. */
export const spoken = (hover: Hover, kind: XKind): string =>
  [
    xLabel(hover.x, kind),
    ...hover.rows.slice(0, 3).map(({ trace, index }) => `${trace.name} ${number(trace.y[index]!, 5)}`),
  ].join(', ')
