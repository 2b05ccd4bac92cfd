import css from './Grid.module.css'
import { useVirtualizer, defaultRangeExtractor } from '@tanstack/react-virtual'
import {
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type MouseEvent,
  type RefObject,
} from 'react'
import { below } from '../../shell/PopMenu'
import { strings } from '../../strings'
import type { Line, Lines } from '../useTableLines'
import { BASELINE_LINE, HEAD_HEIGHT, HEADER_LINE, LEAD, ROW_HEIGHT } from './layout'
import type { Active, GridProps } from './props'
import { Header } from './Header'
import { Row } from './Row'
import { useGridKeys } from './useGridKeys'

/** Show runs as an ARIA grid. Only visible rows and columns are in the document; one cell is in the tab order. */
export function Grid(p: GridProps) {
  const { lines, model, on } = p
  const scroller = useRef<HTMLDivElement>(null)
  const [active, setActive] = useState<Active>({ line: HEADER_LINE, column: LEAD.length })
  const columnCount = LEAD.length + model.pinned.length + model.center.length
  const waiting = lines.total === undefined && !lines.error
  const count = waiting ? 12 : lines.count
  const above = HEAD_HEIGHT + (p.baseline ? ROW_HEIGHT : 0)

  const baselineRow = useMemo(
    (): Line | null => p.baseline && { kind: 'run', id: p.baseline.id, page: p.baseline.page, at: 0, inGroup: false },
    [p.baseline],
  )

  const rows = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 6,
    scrollPaddingEnd: above,
    useFlushSync: false,
    rangeExtractor: useCallback(
      (range: Parameters<typeof defaultRangeExtractor>[0]) => {
        const found = defaultRangeExtractor(range)
        // The focus would be lost with its cell.
        if (active.line >= 0 && active.line < count && !found.includes(active.line)) found.push(active.line)
        return found
      },
      [active.line, count],
    ),
  })
  const columns = useVirtualizer({
    horizontal: true,
    count: model.center.length,
    getScrollElement: () => scroller.current,
    estimateSize: (i) => model.center[i]?.width ?? 0,
    overscan: 2,
    useFlushSync: false,
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies: measure again when the columns change, since their widths do
  useLayoutEffect(() => columns.measure(), [model.center, columns])

  const shown = columns.getVirtualItems()
  const [first, last] = [shown[0]?.index ?? 0, shown.at(-1)?.index ?? -1]
  const center = useMemo(() => model.center.slice(first, last + 1), [model.center, first, last])
  const before = model.center[first]?.start ?? 0

  const { startIndex, endIndex } = rows.range ?? {}
  const { onRange } = p
  useEffect(() => {
    if (startIndex !== undefined && endIndex !== undefined) onRange(startIndex, endIndex)
  }, [startIndex, endIndex, onRange])

  useStay(scroller, rows.scrollOffset ?? 0, lines, p.question)

  const focusCell = useCallback(
    (next: Active) => {
      setActive(next)
      if (next.line >= 0) rows.scrollToIndex(next.line, { align: 'auto' })
      const inCenter = next.column - LEAD.length - model.pinned.length
      const target = model.center[inCenter]
      const element = scroller.current
      if (target && element) {
        const room = element.clientWidth - model.pinnedWidth
        if (target.start < element.scrollLeft) element.scrollLeft = target.start
        else if (target.start + target.width > element.scrollLeft + room)
          element.scrollLeft = target.start + target.width - room
      }
    },
    [rows, model],
  )

  // While the focus is in the grid, it follows the active cell, or is on the grid if that cell is out of the document.
  const inside = useRef(false)
  useLayoutEffect(() => {
    if (!inside.current) return
    const now = document.activeElement
    if (now && now !== document.body && now !== scroller.current && !now.closest('[role="grid"]')) return
    const cell = scroller.current?.querySelector<HTMLElement>(
      `[data-line="${active.line}"] [data-c="${active.column}"]`,
    )
    if (cell) {
      if (!cell.contains(now)) cell.focus({ preventScroll: true })
    } else scroller.current?.focus({ preventScroll: true })
  })

  const onKeyDown = useGridKeys({
    active,
    focusCell,
    count: lines.count,
    columnCount,
    columns: [...model.pinned, ...model.center],
    sort: p.sort,
    lineAt: lines.lineAt,
    scroller,
    on,
  })

  const onClick = (event: MouseEvent) => {
    const found = cellOf(event.target)
    if (!found) return
    const { cell, what } = found
    if (cell.line !== BASELINE_LINE) setActive(cell)
    const placed = [...model.pinned, ...model.center][cell.column - LEAD.length]
    if (cell.line === HEADER_LINE) {
      if (what === 'select') on.selectAll()
      if (what === 'eye') on.toggleAllDrawn()
      if (what === 'menu' && placed) on.columnMenu(placed.column.name, below(event.target as Element))
      if (what === 'sort' && placed) on.sort(placed.column.name, event.shiftKey)
      return
    }
    const line = cell.line === BASELINE_LINE && baselineRow ? baselineRow : lines.lineAt(cell.line)
    if (line.kind === 'loading') return
    if (what === 'select' || (cell.column === 0 && !what)) on.select(line, cell.line, event.shiftKey)
    else if (what === 'eye') on.toggleDrawn(line)
    else if (what === 'toggle' && line.kind === 'group') on.toggleGroup(line.group)
    else if (what === 'open' && line.kind === 'run' && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault()
      on.open(line.id, false)
    }
  }

  const onContextMenu = (event: MouseEvent) => {
    const found = cellOf(event.target)
    if (!found) return
    const placed = [...model.pinned, ...model.center][found.cell.column - LEAD.length]
    const at = { x: event.clientX, y: event.clientY }
    if (found.cell.line === HEADER_LINE) {
      if (!placed) return
      on.columnMenu(placed.column.name, at)
    } else {
      const line = found.cell.line === BASELINE_LINE && baselineRow ? baselineRow : lines.lineAt(found.cell.line)
      if (line.kind === 'loading') return
      on.lineMenu(line, placed ?? null, at)
    }
    event.preventDefault()
  }

  const common = { width: model.width, pinned: model.pinned, center, before, first }
  const rowProps = { ...common, scheme: p.scheme, place: p.place, baseline: p.baseline?.page ?? null }
  const visible = rows.getVirtualItems()
  // Rows that enter the screen reuse the elements of rows that left it; a row kept only for its focus has its own.
  const pool = useMost(visible.length + 2)
  const rendered = active.line === HEADER_LINE || visible.some((item) => item.index === active.line)
  return (
    <div
      ref={scroller}
      role="grid"
      aria-label={strings.project.table}
      aria-rowcount={lines.total === undefined ? -1 : count + 1}
      aria-colcount={columnCount}
      aria-multiselectable
      aria-busy={waiting || lines.stale}
      tabIndex={rendered ? -1 : 0}
      className={`${css.grid} ${lines.stale ? css.stale : ''}`}
      style={{ scrollPaddingTop: above, scrollPaddingLeft: model.pinnedWidth }}
      onClick={onClick}
      onContextMenu={onContextMenu}
      onKeyDown={onKeyDown}
      onFocus={(event) => {
        inside.current = true
        const found = cellOf(event.target)
        if (
          found &&
          found.cell.line !== BASELINE_LINE &&
          (found.cell.line !== active.line || found.cell.column !== active.column)
        )
          setActive(found.cell)
      }}
      onBlur={(event) => {
        // Without a related target, the focused cell may have left the document; the effect above handles that.
        if (event.relatedTarget && !event.currentTarget.contains(event.relatedTarget)) inside.current = false
      }}
    >
      <div role="rowgroup" className={css.above} style={{ width: model.width }}>
        <Header
          {...common}
          active={active.line === HEADER_LINE ? active.column : null}
          sort={p.sort}
          selected={p.allSelected}
          allDrawn={p.allDrawn}
          onResize={on.resize}
          onMove={on.move}
        />
        {p.baseline && baselineRow && (
          <Row
            {...rowProps}
            line={baselineRow}
            index={BASELINE_LINE}
            top={0}
            active={null}
            selected={false}
            hidden={p.isHidden(p.baseline.id)}
            stroke={p.drawn.get(p.baseline.id) ?? null}
            groupName=""
          />
        )}
      </div>
      <div role="rowgroup" className={css.body} style={{ height: rows.getTotalSize(), width: model.width }}>
        {visible.map((item, i) => {
          const line: Line = waiting ? LOADING : lines.lineAt(item.index)
          const id = line.kind === 'loading' ? '' : line.id
          return (
            <Row
              key={i > 0 && item.index !== visible[i - 1]!.index + 1 ? 'focus' : item.index % pool}
              {...rowProps}
              line={line}
              index={item.index}
              top={item.start}
              active={active.line === item.index ? active.column : null}
              selected={
                line.kind === 'group'
                  ? line.group.runs.length > 0 && line.group.runs.every((one) => p.selected.has(one))
                  : p.selected.has(id)
              }
              hidden={p.isHidden(id)}
              stroke={p.drawn.get(id) ?? null}
              groupName={line.kind === 'group' ? p.groupName(line.group) : ''}
            />
          )
        })}
      </div>
    </div>
  )
}

const LOADING: Line = { kind: 'loading' }

/** Return the cell around an element, and the action of a click there. */
function cellOf(target: EventTarget): { cell: Active; what: string | undefined } | null {
  if (!(target instanceof Element)) return null
  const cell = target.closest<HTMLElement>('[data-c]')
  const line = cell?.closest<HTMLElement>('[data-line]')
  if (!cell || !line) return null
  const what = target.closest<HTMLElement>('[data-do]')?.dataset.do
  return { cell: { line: Number(line.dataset.line), column: Number(cell.dataset.c) }, what }
}

/**
 * Keep the visible rows in place when runs appear or disappear above them, and scroll to the top for a new filter or
 * sort. `offset` is the scroll position: reading it from the element would force a layout at each change.
 */
function useStay(scroller: RefObject<HTMLDivElement | null>, offset: number, lines: Lines, question: string) {
  const top = useRef<{ id: string; index: number } | null>(null)
  const asked = useRef(question)
  // biome-ignore lint/correctness/useExhaustiveDependencies: only other rows or another question may scroll the table, not scrolling itself
  useLayoutEffect(() => {
    if (offset === 0) return
    const element = scroller.current!
    if (asked.current !== question) element.scrollTop = 0
    else if (top.current) {
      const now = lines.indexOf(top.current.id)
      if (now !== undefined && now !== top.current.index) element.scrollTop += (now - top.current.index) * ROW_HEIGHT
    }
  }, [lines, question])
  useLayoutEffect(() => {
    asked.current = question
    const index = Math.ceil(offset / ROW_HEIGHT)
    const line = lines.lineAt(index)
    top.current = line.kind === 'loading' ? null : { id: line.id, index }
  }, [offset, lines, question])
}

/** Return the highest value that a number has had. */
function useMost(value: number): number {
  const most = useRef(value)
  most.current = Math.max(most.current, value)
  return most.current
}
