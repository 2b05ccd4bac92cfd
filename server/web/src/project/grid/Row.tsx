import css from './Row.module.css'
import { ROOT } from '../../api/session'
import { IconChevronRight, IconEyeOff } from '@tabler/icons-react'
import { memo, type ReactNode } from 'react'
import { count } from '../../lib/format'
import type { Scheme, Stroke } from '../../lib/palette'
import { strings } from '../../strings'
import type { Place } from '../../api/paths'
import type { TablePage } from '../../api/table'
import type { Line } from '../useTableLines'
import { strokeFor } from '../../lib/runStroke'
import { LEAD } from './layout'
import type { Placed } from './useColumnModel'
import { aggregateText, isNumeric } from '../cellText'
import { Dot, Swatch, valueCell } from './Cell'

const texts = strings.project

export interface RowProps {
  line: Line
  /** Number of the row from 0; -1 for the pinned baseline */
  index: number
  top: number
  width: number
  pinned: Placed[]
  /** Visible columns, the pixels left of them, and the index of the first among all unpinned columns */
  center: Placed[]
  before: number
  first: number
  /** Index of the column with the focus, if it is in this row */
  active: number | null
  selected: boolean
  hidden: boolean
  /** Color and dash in charts; null if it is not drawn */
  stroke: Stroke | null
  scheme: Scheme
  place: Place
  /** Values to compare with */
  baseline: TablePage | null
  groupName: string
}

/** One row of the table. The grid handles clicks; `data-` attributes tell it what was clicked. */
export const Row = memo(function Row(p: RowProps) {
  const { line, index } = p
  const name = line.kind === 'run' ? String(line.page.columns.name?.[line.at] ?? line.id) : p.groupName
  const cells = (columns: Placed[], offset: number) =>
    columns.map((placed, i) => {
      const number = offset + i
      return (
        // biome-ignore lint/a11y/useAriaPropsSupportedByRole: both roles have a column index
        <div
          key={placed.column.name}
          role={placed.column.name === 'name' ? 'rowheader' : 'gridcell'}
          aria-colindex={number + 1}
          data-c={number}
          tabIndex={p.active === number ? 0 : -1}
          className={`${css.cell} ${isNumeric(placed.column) ? css.number : ''}`}
          style={{ width: placed.width }}
        >
          {content(p, placed, name)}
        </div>
      )
    })
  const state = `${line.kind === 'group' ? css.group : ''} ${p.selected ? css.selected : ''} ${index < 0 ? css.baseline : ''}`
  return (
    <div
      role="row"
      aria-rowindex={index < 0 ? undefined : index + 2}
      aria-selected={line.kind === 'loading' ? undefined : p.selected}
      aria-expanded={line.kind === 'group' ? line.open : undefined}
      data-line={index}
      className={`${css.row} ${state}`}
      style={{ width: p.width, transform: index < 0 ? undefined : `translateY(${p.top}px)` }}
    >
      <div role="presentation" className={css.fixed}>
        <LeadCell number={0} active={p.active} width={LEAD[0]}>
          {line.kind !== 'loading' && index >= 0 && (
            <input
              type="checkbox"
              tabIndex={-1}
              data-do="select"
              checked={p.selected}
              onChange={nothing}
              aria-label={texts.selectOne(name)}
            />
          )}
        </LeadCell>
        <LeadCell number={1} active={p.active} width={LEAD[1]}>
          {line.kind !== 'loading' && <Eye {...p} name={name} />}
        </LeadCell>
        {cells(p.pinned, LEAD.length)}
      </div>
      <div className={css.space} style={{ width: p.before }} />
      {cells(p.center, LEAD.length + p.pinned.length + p.first)}
    </div>
  )
})

const nothing = () => undefined

function LeadCell(p: { number: number; active: number | null; width: number; children: ReactNode }) {
  return (
    <div
      role="gridcell"
      aria-colindex={p.number + 1}
      data-c={p.number}
      tabIndex={p.active === p.number ? 0 : -1}
      className={`${css.cell} ${css.lead}`}
      style={{ width: p.width }}
    >
      {p.children}
    </div>
  )
}

/** Show whether charts draw the run, and its line. */
function Eye({ line, hidden, stroke, scheme, name }: RowProps & { name: string }) {
  if (line.kind === 'loading') return null
  const { color, dash } = stroke ?? strokeOfLine(line, scheme)
  const label = hidden ? texts.show(name) : texts.hide(name)
  return (
    <button
      type="button"
      className={css.eye}
      tabIndex={-1}
      data-do="eye"
      aria-label={label}
      aria-pressed={!hidden}
      title={!hidden && !stroke ? texts.beyondLimit : label}
    >
      {hidden ? <IconEyeOff size={15} /> : <Swatch color={color} dash={dash} faint={!stroke} />}
    </button>
  )
}

/** Return the color and dash a run has when drawn; groups have a color only while they are drawn. */
function strokeOfLine(line: Line, scheme: Scheme): Stroke {
  if (line.kind !== 'run') return { color: 'currentColor', dash: [] }
  const { ordinal, color } = line.page.columns
  return strokeFor(ordinal?.[line.at], color?.[line.at], scheme)
}

function content(p: RowProps, { column }: Placed, name: string): ReactNode {
  const { line, place } = p
  if (line.kind === 'loading') return <span className={css.skeleton} />
  if (line.kind === 'group') {
    if (column.name === 'name') {
      return (
        <button type="button" className={css.open} tabIndex={-1} data-do="toggle" title={name}>
          <IconChevronRight size={14} className={line.open ? css.turned : ''} aria-hidden />
          <span className={css.name}>{name}</span>
          <span className="visually-hidden">, {strings.common.runs(line.group.count)}</span>
          <small className={css.count} aria-hidden>
            {count(line.group.count)}
          </small>
        </button>
      )
    }
    if (column.name in line.group.key) return valueCell(column, line.group.key[column.name])
    const { text, more, title } = aggregateText(column, line.group.values[column.name])
    return (
      <span title={title || undefined}>
        {text} {more && <small className={css.spread}>{more}</small>}
      </span>
    )
  }
  const item = line.page.columns[column.name]?.[line.at]
  if (column.name === 'name') {
    const path = [place.entity, place.project, line.id].map(encodeURIComponent).join('/')
    const state = String(line.page.columns.state?.[line.at] ?? '')
    return (
      <a
        href={`${ROOT}/runs/${path}`}
        tabIndex={-1}
        data-do="open"
        className={`${css.name} ${line.inGroup ? css.member : ''}`}
        title={`${name}\n${strings.states[state] ?? state}`}
      >
        <Dot state={state} />
        {name}
        <span className="visually-hidden">, {strings.states[state] ?? state}</span>
      </a>
    )
  }
  if (!(column.name in line.page.columns)) return <span className={css.skeleton} />
  return valueCell(column, item, p.index < 0 ? undefined : p.baseline?.columns[column.name]?.[0])
}
