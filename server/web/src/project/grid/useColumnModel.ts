import {
  columnOrderingFeature,
  columnPinningFeature,
  columnSizingFeature,
  columnVisibilityFeature,
  tableFeatures,
  useTable,
  type ColumnDef,
} from '@tanstack/react-table'
import { useMemo } from 'react'
import type { Column, Layout } from '../columns'
import { LEAD_WIDTH, LEAST_WIDTH } from './layout'
import { isNumeric } from '../cellText'

const features = tableFeatures({
  columnOrderingFeature,
  columnPinningFeature,
  columnSizingFeature,
  columnVisibilityFeature,
  columnMeta: {} as { column: Column },
})

const NO_ROWS: object[] = []

/** A column as it is drawn: its place from the left of its region, and its width. */
export interface Placed {
  column: Column
  start: number
  width: number
  pinned: boolean
}

/** Room for what stands beside a number: the difference from a baseline, or the deviation in a group */
const BESIDE = 52

/** The visible columns, those that are pinned first; `beside`: with room for more than a number in each. Rows are not the table's business: they come in pages. */
export function useColumnModel(layout: Layout, widths: Record<string, number>, beside: boolean): { pinned: Placed[]; center: Placed[]; pinnedWidth: number; width: number } {
  const columns = useMemo(
    () =>
      layout.all.map(
        (column): ColumnDef<typeof features, object> => ({
          id: column.name,
          size: column.size + (beside && isNumeric(column) ? BESIDE : 0),
          minSize: LEAST_WIDTH,
          meta: { column },
        }),
      ),
    [layout, beside],
  )
  const state = useMemo(
    () => ({
      columnOrder: layout.order,
      columnVisibility: Object.fromEntries(layout.all.map(({ name }) => [name, layout.visible.has(name)])),
      columnPinning: { start: layout.pinned, end: [] },
      columnSizing: widths,
    }),
    [layout, widths],
  )
  const table = useTable({ features, columns, data: NO_ROWS, state })
  return useMemo(() => {
    const placed = (pinned: boolean): Placed[] => {
      const found = pinned ? table.getStartVisibleLeafColumns() : table.getCenterVisibleLeafColumns()
      let start = pinned ? LEAD_WIDTH : 0
      return found.map((one) => {
        const width = one.getSize()
        start += width
        return { column: one.columnDef.meta!.column, start: start - width, width, pinned }
      })
    }
    const [pinned, center] = [placed(true), placed(false)]
    const pinnedWidth = LEAD_WIDTH + pinned.reduce((sum, one) => sum + one.width, 0)
    return { pinned, center, pinnedWidth, width: pinnedWidth + center.reduce((sum, one) => sum + one.width, 0) }
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [columns, state])
}
