import { useMemo } from 'react'
import type { Column, Layout } from '../columns'
import { LEAD_WIDTH, LEAST_WIDTH } from './layout'
import { isNumeric } from '../cellText'

/** A column as it is drawn: its place from the left of its region, and its width. */
export interface Placed {
  column: Column
  start: number
  width: number
  pinned: boolean
}

/** All columns that are drawn, and their widths in pixels. */
export interface ColumnModel {
  pinned: Placed[]
  center: Placed[]
  /** Of what stays in place when the table is scrolled sideways */
  pinnedWidth: number
  width: number
}

/** Extra width for the difference from a baseline, or the deviation in a group, next to a number */
const BESIDE = 52

/** The visible columns, pinned ones first. `beside`: with room for more than a number in each. */
export function useColumnModel(layout: Layout, widths: Record<string, number>, beside: boolean): ColumnModel {
  return useMemo(() => {
    const byName = new Map(layout.all.map((column) => [column.name, column]))
    const widthOf = (column: Column) =>
      Math.max(LEAST_WIDTH, widths[column.name] ?? column.size + (beside && isNumeric(column) ? BESIDE : 0))
    const placed = (names: string[], from: number, isPinned: boolean): Placed[] => {
      let start = from
      return names.flatMap((name) => {
        const column = byName.get(name)
        if (!column || !layout.visible.has(name)) return []
        const width = widthOf(column)
        start += width
        return [{ column, start: start - width, width, pinned: isPinned }]
      })
    }
    const isPinned = new Set(layout.pinned)
    const pinned = placed(layout.pinned, LEAD_WIDTH, true)
    const center = placed(
      layout.order.filter((name) => !isPinned.has(name)),
      0,
      false,
    )
    const pinnedWidth = LEAD_WIDTH + sum(pinned)
    return { pinned, center, pinnedWidth, width: pinnedWidth + sum(center) }
  }, [layout, widths, beside])
}

const sum = (columns: Placed[]): number => columns.reduce((total, one) => total + one.width, 0)
