import type { KeyboardEvent, RefObject } from 'react'
import type { Sort } from '../../view/view'
import type { Line } from '../useTableLines'
import type { Placed } from './useColumnModel'
import { below } from '../../shell/PopMenu'
import { HEADER_LINE, LEAD, ROW_HEIGHT } from './layout'
import type { Active, GridActions } from './props'

interface Keys {
  active: Active
  focusCell: (next: Active) => void
  count: number
  columnCount: number
  columns: Placed[]
  sort: Sort[]
  lineAt: (index: number) => Line
  scroller: RefObject<HTMLDivElement | null>
  on: GridActions
}

const RESIZE_BY = 16

/** Handle the grid's keys; `strings.shortcuts` lists them for users. */
export function useGridKeys(p: Keys): (event: KeyboardEvent) => void {
  const { active, on } = p
  const placed = p.columns[active.column - LEAD.length]
  const lastLine = p.count - 1
  const page = Math.max(1, Math.floor((p.scroller.current?.clientHeight ?? 0) / ROW_HEIGHT) - 2)

  const step = (lines: number, columns: number): Active => {
    let line = active.line === HEADER_LINE ? -1 : active.line
    line = Math.min(lastLine, Math.max(-1, line + lines))
    return {
      line: line < 0 ? HEADER_LINE : line,
      column: Math.min(p.columnCount - 1, Math.max(0, active.column + columns)),
    }
  }

  const moves: Record<string, (ctrl: boolean) => Active> = {
    ArrowUp: () => step(-1, 0),
    ArrowDown: () => step(1, 0),
    ArrowLeft: () => step(0, -1),
    ArrowRight: () => step(0, 1),
    PageUp: () => step(-page, 0),
    PageDown: () => step(page, 0),
    Home: (ctrl) => ({ line: ctrl && p.count ? 0 : active.line, column: 0 }),
    End: (ctrl) => ({ line: ctrl && p.count ? lastLine : active.line, column: p.columnCount - 1 }),
  }

  const cellElement = () =>
    p.scroller.current?.querySelector(`[data-line="${active.line}"] [data-c="${active.column}"]`)

  const inHeads = (event: KeyboardEvent): boolean => {
    if (!placed) {
      if (event.key !== ' ' && event.key !== 'Enter') return false
      if (active.column === 0) on.selectAll()
      else on.toggleAllDrawn()
      return true
    }
    const { name } = placed.column
    if (event.altKey && (event.key === 'ArrowLeft' || event.key === 'ArrowRight')) {
      const at = active.column - LEAD.length
      const right = event.key === 'ArrowRight'
      const other = p.columns[right ? at + 1 : at - 1]
      if (!other || other.pinned !== placed.pinned) return true
      on.move(name, right ? (p.columns[at + 2]?.column.name ?? null) : other.column.name)
      p.focusCell(step(0, right ? 1 : -1))
    } else if (event.shiftKey && (event.key === 'ArrowLeft' || event.key === 'ArrowRight')) {
      on.resize(name, placed.width + (event.key === 'ArrowRight' ? RESIZE_BY : -RESIZE_BY), true)
    } else if (event.key === 'Enter' || event.key === ' ') on.sort(name, event.shiftKey)
    else if (isMenuKey(event)) menu((at) => on.columnMenu(name, at))
    else return false
    return true
  }

  const menu = (open: (at: { x: number; y: number }) => void) => {
    const cell = cellElement()
    // Open it after this key event: menus close on keys pressed outside of them.
    if (cell) setTimeout(() => open(below(cell)))
  }

  const inLines = (event: KeyboardEvent): boolean => {
    const line = p.lineAt(active.line)
    if (line.kind === 'loading') return false
    const run = line.kind === 'run' ? line.id : null
    if (event.key === ' ') {
      if (active.column === 1) on.toggleDrawn(line)
      else on.select(line, active.line, event.shiftKey)
    } else if (event.key === 'Enter') {
      if (active.column === 0) on.select(line, active.line, event.shiftKey)
      else if (active.column === 1) on.toggleDrawn(line)
      else if (line.kind === 'group') on.toggleGroup(line.group)
      else on.open(line.id, event.ctrlKey || event.metaKey)
    } else if (event.key === 'F2' && run) on.rename(run)
    else if (event.key === 'Delete') on.remove()
    else if (isMenuKey(event)) menu((at) => on.lineMenu(line, placed ?? null, at))
    else if (event.ctrlKey || event.metaKey || event.altKey) return false
    else if (event.key === 'v') on.toggleDrawn(line)
    else if (event.key === 'b' && run) on.baseline(run)
    else return false
    return true
  }

  return (event) => {
    if (event.defaultPrevented) return
    const ctrl = event.ctrlKey || event.metaKey
    let done = active.line === HEADER_LINE ? inHeads(event) : inLines(event)
    if (!done && ctrl && event.key.toLowerCase() === 'a') {
      on.selectAll()
      done = true
    }
    if (!done && event.key === 'Escape') {
      on.clearSelection()
      done = true
    }
    const move = moves[event.key]
    if (!done && move && !event.altKey) {
      p.focusCell(move(ctrl))
      done = true
    }
    if (done) event.preventDefault()
  }
}

const isMenuKey = (event: KeyboardEvent): boolean =>
  event.key === 'ContextMenu' || (event.shiftKey && event.key === 'F10') || (event.altKey && event.key === 'ArrowDown')
