import css from './Header.module.css'
import rowCss from './Row.module.css'
import { IconArrowDown, IconArrowUp, IconDotsVertical, IconEye, IconEyeOff, IconPinFilled } from '@tabler/icons-react'
import { memo, useState, type DragEvent, type PointerEvent } from 'react'
import { strings } from '../../strings'
import type { Sort } from '../../view/view'
import { labelOf } from '../columns'
import { HEADER_LINE, LEAD, LEAST_WIDTH } from './layout'
import type { Placed } from './useColumnModel'
import { isNumeric } from '../cellText'

const texts = strings.project

export interface HeaderProps {
  width: number
  pinned: Placed[]
  center: Placed[]
  before: number
  first: number
  active: number | null
  sort: Sort[]
  /** Whether all, some or none of the runs that match are selected */
  selected: boolean | 'some'
  /** Whether no run is hidden from charts */
  allDrawn: boolean
  onResize: (name: string, width: number, done: boolean) => void
  onMove: (name: string, before: string) => void
}

/** The column headers: click sorts, drag moves, the right edge resizes, the dots open the menu. */
export const Header = memo(function Header(p: HeaderProps) {
  const [over, setOver] = useState<string | null>(null)
  const drop = (event: DragEvent, name: string) => {
    const from = event.dataTransfer.getData('text/column')
    setOver(null)
    if (from) p.onMove(from, name)
    event.preventDefault()
  }
  const heads = (columns: Placed[], offset: number) =>
    columns.map((placed, i) => {
      const { column, width, pinned } = placed
      const { label, from } = labelOf(column)
      const number = offset + i
      const level = p.sort.findIndex((one) => one.column === column.name)
      const descending = p.sort[level]?.descending
      return (
        <div
          key={column.name}
          role="columnheader"
          aria-label={column.name}
          aria-colindex={number + 1}
          aria-sort={level < 0 ? undefined : descending ? 'descending' : 'ascending'}
          data-c={number}
          data-name={column.name}
          tabIndex={p.active === number ? 0 : -1}
          className={`${rowCss.cell} ${css.head} ${isNumeric(column) ? rowCss.number : ''} ${over === column.name ? css.over : ''}`}
          style={{ width }}
          title={`${column.name}${texts.sortHint}`}
          draggable
          onDragStart={(event) => event.dataTransfer.setData('text/column', column.name)}
          onDragOver={(event) => {
            if (!event.dataTransfer.types.includes('text/column')) return
            event.preventDefault()
            setOver(column.name)
          }}
          onDragLeave={() => setOver(null)}
          onDrop={(event) => drop(event, column.name)}
        >
          <span className={`${css.label} ${isNumeric(column) ? css.labelEnd : ''}`} data-do="sort">
            {from && <small>{from}</small>}
            <span>
              {pinned && column.name !== 'name' && <IconPinFilled size={10} aria-label={texts.pinned} />}
              <b>{label}</b>
              {level >= 0 &&
                (descending ? <IconArrowDown size={13} aria-hidden /> : <IconArrowUp size={13} aria-hidden />)}
              {level >= 0 && p.sort.length > 1 && <sup>{level + 1}</sup>}
            </span>
          </span>
          <button
            type="button"
            className={css.menu}
            data-do="menu"
            tabIndex={-1}
            aria-label={texts.columnMenu(column.name)}
            aria-haspopup="menu"
          >
            <IconDotsVertical size={14} />
          </button>
          <Edge width={width} onResize={(next, done) => p.onResize(column.name, next, done)} />
        </div>
      )
    })
  return (
    <div
      role="row"
      aria-rowindex={1}
      data-line={HEADER_LINE}
      className={`${rowCss.row} ${rowCss.heads}`}
      style={{ width: p.width }}
    >
      <div role="presentation" className={rowCss.fixed}>
        <div
          role="columnheader"
          aria-colindex={1}
          data-c={0}
          tabIndex={p.active === 0 ? 0 : -1}
          className={`${rowCss.cell} ${rowCss.lead} ${css.head}`}
          style={{ width: LEAD[0] }}
        >
          <input
            type="checkbox"
            tabIndex={-1}
            data-do="select"
            checked={p.selected === true}
            ref={(box) => {
              if (box) box.indeterminate = p.selected === 'some'
            }}
            onChange={() => undefined}
            aria-label={texts.selectAll}
          />
        </div>
        <div
          role="columnheader"
          aria-colindex={2}
          data-c={1}
          tabIndex={p.active === 1 ? 0 : -1}
          className={`${rowCss.cell} ${rowCss.lead} ${css.head}`}
          style={{ width: LEAD[1] }}
        >
          <button
            type="button"
            className={rowCss.eye}
            tabIndex={-1}
            data-do="eye"
            aria-label={p.allDrawn ? texts.hideAll : texts.showAll}
            title={p.allDrawn ? texts.hideAll : texts.showAll}
          >
            {p.allDrawn ? <IconEye size={15} /> : <IconEyeOff size={15} />}
          </button>
        </div>
        {heads(p.pinned, LEAD.length)}
      </div>
      <div className={rowCss.space} style={{ width: p.before }} />
      {heads(p.center, LEAD.length + p.pinned.length + p.first)}
    </div>
  )
})

/** The right edge of a column header: drag it to change the width. For keys see `useGridKeys`. */
function Edge({ width, onResize }: { width: number; onResize: (width: number, done: boolean) => void }) {
  const begin = (event: PointerEvent<HTMLSpanElement>) => {
    event.preventDefault()
    event.stopPropagation()
    const edge = event.currentTarget
    const from = event.clientX
    const at = (now: globalThis.PointerEvent) => Math.max(LEAST_WIDTH, Math.round(width + now.clientX - from))
    const move = (now: globalThis.PointerEvent) => onResize(at(now), false)
    const end = (now: globalThis.PointerEvent) => {
      edge.removeEventListener('pointermove', move)
      onResize(at(now), true)
    }
    edge.setPointerCapture(event.pointerId)
    edge.addEventListener('pointermove', move)
    edge.addEventListener('pointerup', end, { once: true })
  }
  return (
    <span
      className={css.edge}
      data-do="edge"
      aria-hidden
      draggable
      onDragStart={(event) => {
        event.preventDefault()
        event.stopPropagation()
      }}
      onPointerDown={begin}
    />
  )
}
