import css from './SideBySide.module.css'
import valuesTreeCss from '../run/ValuesTree.module.css'
import { ActionIcon, Anchor, Group, Text, Tooltip, useComputedColorScheme } from '@mantine/core'
import { IconPin, IconPinFilled, IconX } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { Fragment } from 'react'
import type { RunInfo } from '../api/client'
import { number, readable } from '../lib/format'
import { strokeFor } from '../lib/runStroke'
import { exact, isMedia, mediaLabel } from '../run/values'
import { runAddress } from '../lib/pageAddress'
import { RunState } from '../shell/RunState'
import { strings } from '../strings'
import type { CompareProps } from './props'
import { percent, relative, same, type Row } from './valueDifferences'

/** Show a row per name and a column per run. Differences from the baseline are marked, those of numbers in percent. */
export function SideBySide({ rows, runs, baseline, setBaseline, remove }: CompareProps & { rows: Row[] }) {
  const at = Math.max(
    0,
    runs.findIndex((run) => run.id === baseline),
  )
  const groups = [...new Set(rows.map((row) => row.group))]
  return (
    <div className={css.scroller} tabIndex={0} role="region" aria-label={strings.compare.title}>
      <table className={css.table}>
        <thead>
          <tr>
            <th scope="col" className={css.key}>
              <span className="visually-hidden">{strings.compare.key}</span>
            </th>
            {runs.map((run, i) => (
              <RunHead key={run.id} run={run} isBaseline={i === at} setBaseline={setBaseline} remove={remove} />
            ))}
          </tr>
        </thead>
        <tbody>
          {groups.map((group) => (
            <Fragment key={group}>
              {group && (
                <tr className={css.group}>
                  <th scope="colgroup" colSpan={runs.length + 1}>
                    <span>{group}</span>
                  </th>
                </tr>
              )}
              {rows
                .filter((row) => row.group === group)
                .map((row) => (
                  <tr key={row.name}>
                    <th scope="row" className={css.key} title={row.name}>
                      <span className="clamped">{readable(row.name)}</span>
                    </th>
                    {row.values.map((value, i) => (
                      <Cell key={runs[i]!.id} value={value} baseline={row.values[at]} isBaseline={i === at} />
                    ))}
                  </tr>
                ))}
            </Fragment>
          ))}
        </tbody>
      </table>
    </div>
  )
}

type HeadProps = Pick<CompareProps, 'setBaseline' | 'remove'> & { run: RunInfo; isBaseline: boolean }

function RunHead({ run, isBaseline, setBaseline, remove }: HeadProps) {
  const scheme = useComputedColorScheme('light')
  const { color } = strokeFor(run.ordinal, run.color, scheme)
  const pin = isBaseline ? strings.compare.isBaseline(run.name) : strings.compare.makeBaseline(run.name)
  return (
    <th scope="col">
      <Group gap={6} wrap="nowrap" justify="space-between">
        <Group gap={6} wrap="nowrap" miw={0}>
          <svg width="10" height="10" aria-hidden>
            <circle cx="5" cy="5" r="5" fill={color} />
          </svg>
          <Anchor component={Link} to={runAddress(run)} fw={600} size="sm" truncate maw={200} title={run.name}>
            {run.name}
          </Anchor>
        </Group>
        <Group gap={0} wrap="nowrap">
          <Tooltip label={pin}>
            <ActionIcon
              variant="subtle"
              color={isBaseline ? undefined : 'gray'}
              size="sm"
              aria-label={pin}
              aria-pressed={isBaseline}
              onClick={() => setBaseline(run.id)}
            >
              {isBaseline ? <IconPinFilled size={14} /> : <IconPin size={14} />}
            </ActionIcon>
          </Tooltip>
          <ActionIcon
            variant="subtle"
            color="gray"
            size="sm"
            aria-label={strings.compare.removeRun(run.name)}
            onClick={() => remove(run.id)}
          >
            <IconX size={14} />
          </ActionIcon>
        </Group>
      </Group>
      <Group gap="xs" wrap="nowrap">
        <RunState state={run.state} size="xs" />
        {isBaseline && (
          <Text size="xs" c="dimmed">
            {strings.compare.baseline}
          </Text>
        )}
      </Group>
    </th>
  )
}

function Cell({ value, baseline, isBaseline }: { value: unknown; baseline: unknown; isBaseline: boolean }) {
  const differs = !isBaseline && !same(value, baseline)
  const part = differs ? relative(value, baseline) : null
  return (
    <td className={differs ? css.differs : undefined}>
      {differs && (
        <span className={css.sign} role="img" aria-label={strings.compare.differs}>
          ≠
        </span>
      )}
      <Shown value={value} />
      {part !== null && (
        <Text span size="xs" c="dimmed" className={css.part} title={strings.compare.percent}>
          {percent(part)}
        </Text>
      )}
    </td>
  )
}

function Shown({ value }: { value: unknown }) {
  if (value === undefined) return <span className={valuesTreeCss.faint}>–</span>
  if (isMedia(value)) return <span className={valuesTreeCss.faint}>{mediaLabel(value)}</span>
  if (typeof value === 'number') {
    return <span title={exact(value)}>{number(value, 6)}</span>
  }
  return <span className="wrap">{exact(value)}</span>
}
