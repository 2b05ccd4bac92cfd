import { useMemo } from 'react'
import type { Column, Layout } from '../columns'
import { LEAD_WIDTH, LEAST_WIDTH } from './layout'
import { isNumeric } from '../cellText'

/** A visible column with its width, and its position from the left of its region. */
export interface Placed {
  column: Column
  start: number
  width: number
  pinned: boolean
}

/** All visible columns, and their widths in pixels. */
export interface ColumnModel {
  pinned: Placed[]
  center: Placed[]
  /** Width of the pinned part, which does not scroll sideways */
  pinnedWidth: number
  width: number
}

/** Extra width beside a number for its difference from the baseline, or its deviation in a group */
const BESIDE = 52

/** Return the visible columns, pinned ones first. `beside`: whether numbers need that extra width. */
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
