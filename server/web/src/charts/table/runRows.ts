import { useComputedColorScheme } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { steadyTableQuery, type ColumnInfo } from '../../api/table'
import { columnsQuery } from '../../project/columnCatalogue'
import { STROKE_COLUMNS, strokeFor } from '../../lib/runStroke'
import type { PanelProps } from '../panel/props'

/** A run as a panel of all runs sees it: one value a column, in the order asked for. */
export interface RunRow {
  id: string
  name: string
  color: string
  values: unknown[]
}

/** Rows that a panel takes at most; it says so where there are more. */
const MOST = 10_000

/** The runs that match filter and search, or those named, with some of their columns. */
export function useRows(
  { entity, project, runs, ids, filter, search }: PanelProps,
  columns: string[],
  only: string[] | null = ids,
) {
  const scheme = useComputedColorScheme('light')
  const asked = {
    ...(only ? { filter: '', search: '' } : { filter, search }),
    sort: [],
    columns: [...STROKE_COLUMNS, ...columns],
    offset: 0,
    limit: MOST,
  }
  const { data, error, isPending, refetch } = useQuery(
    steadyTableQuery({ entity, project }, { ...asked, ...(only && { ids: only }) }),
  )
  const text = JSON.stringify(columns)
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text stands for the columns, which are a new array at each render
  const rows = useMemo(() => {
    if (!data) return []
    const shown = new Map(runs.map((run) => [run.id, run.stroke.color]))
    const { name, color, ordinal } = data.columns
    const found = columns.map((column) => data.columns[column] ?? [])
    return data.runs.map((id, i): RunRow => {
      const stroke = shown.get(id) ?? strokeFor(ordinal?.[i], color?.[i], scheme).color
      return { id, name: String(name?.[i] ?? id), color: stroke, values: found.map((values) => values[i] ?? null) }
    })
  }, [data, runs, text, scheme])
  return { rows, total: data?.total ?? 0, error, pending: isPending, refetch }
}

/** What columns the runs of a project have. */
export const useColumns = (entity: string, project: string): ColumnInfo[] =>
  useQuery(columnsQuery({ entity, project })).data?.columns ?? NOTHING

const NOTHING: ColumnInfo[] = []

/** A value as a position on an axis: numbers, times and truth values; NaN for anything else. */
export const asNumber = (value: unknown): number =>
  typeof value === 'number'
    ? value
    : typeof value === 'boolean'
      ? Number(value)
      : typeof value === 'bigint'
        ? Number(value)
        : NaN

/** Whether most of the values are texts, so that they are categories. */
export function isCategorical(values: unknown[]): boolean {
  const present = values.filter((value) => value !== null)
  return present.length > 0 && present.filter((value) => typeof value === 'string').length > present.length / 2
}
