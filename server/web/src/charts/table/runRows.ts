import { useComputedColorScheme } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { steadyTableQuery, type ColumnInfo } from '../../api/table'
import { columnsQuery } from '../../project/columnCatalogue'
import { STROKE_COLUMNS, strokeFor } from '../../lib/runStroke'
import type { PanelProps } from '../panel/props'

/** A run in a panel of all runs: one value per requested column, in that order. */
export interface RunRow {
  id: string
  name: string
  color: string
  values: unknown[]
}

/** Most runs in a panel; it says if there are more. */
const MOST = 10_000

/** Return the runs that match filter and search, or only those in `ids`, with the requested columns. */
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
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text identifies the columns, which are a new array at each render
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

/** Return the columns of a project's runs. */
export const useColumns = (entity: string, project: string): ColumnInfo[] =>
  useQuery(columnsQuery({ entity, project })).data?.columns ?? NOTHING

const NOTHING: ColumnInfo[] = []

/** Return a value's position on an axis: numbers, times and booleans; NaN for anything else. */
export const asNumber = (value: unknown): number =>
  typeof value === 'number'
    ? value
    : typeof value === 'boolean'
      ? Number(value)
      : typeof value === 'bigint'
        ? Number(value)
        : NaN

/** Whether most values are texts, which makes them categories. */
export function isCategorical(values: unknown[]): boolean {
  const present = values.filter((value) => value !== null)
  return present.length > 0 && present.filter((value) => typeof value === 'string').length > present.length / 2
}
