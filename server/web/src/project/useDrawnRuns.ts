import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import type { ShownGroup, ShownRun } from '../charts/types'
import { dashed, palette, strokeOf, type Scheme, type Stroke } from '../lib/palette'
import type { View } from '../view/view'
import type { Place } from '../api/paths'
import {
  firstPage,
  groupsQuery,
  PAGE,
  steadyTableQuery,
  type ColumnInfo,
  type Selection,
  type TableRequest,
} from '../api/table'
import { groupName } from './groupName'
import { ALL, hiddenBy } from './visibility'
import { groupId } from './useTableLines'
import { STROKE_COLUMNS, strokeFor } from '../lib/runStroke'

interface Drawn {
  runs: ShownRun[]
  groups: ShownGroup[] | undefined
  /** Number of matching runs or groups */
  total: number
  /** Colors and dashes by the id of the run or group */
  strokeById: ReadonlyMap<string, Stroke>
  /** The server's error about the filter or another part of the request */
  error: Error | null
}

/** Return the runs or groups that charts draw: the first visible ones. `wanted`: columns that the table requests. */
export function useDrawnRuns(
  place: Place,
  question: Selection,
  view: View,
  wanted: string[],
  catalogue: ColumnInfo[],
  scheme: Scheme,
): Drawn {
  const { hidden, group } = view
  const { limit } = view.charts
  const named = hidden.filter((id) => id !== ALL && !id.startsWith('group:'))
  const only = hidden.includes(ALL)
  const most = only ? limit : Math.min(10_000, limit + named.length)
  const few: TableRequest = {
    ...question,
    columns: STROKE_COLUMNS,
    offset: 0,
    limit: most,
    ...(only && { ids: named }),
  }
  // A visible table requests these columns anyway, so make its request.
  const inTable = view.layout !== 'charts' && !only && most <= PAGE
  const table = useQuery({
    ...steadyTableQuery(place, inTable ? firstPage(question, wanted) : few),
    enabled: group === null,
  })
  const groups = useQuery({
    ...groupsQuery(place, question, group ?? { by: [] }, [], 0, 1000),
    enabled: group !== null,
    placeholderData: keepPreviousData,
  })
  const isHidden = useMemo(() => hiddenBy(hidden), [hidden])

  const runs = useMemo(() => {
    const page = table.data
    if (!page || group) return []
    const found = page.runs.flatMap((id, i): ShownRun[] => {
      if (isHidden(id)) return []
      const name = String(page.columns.name?.[i] ?? id)
      return [
        {
          path: `${place.entity}/${place.project}/${id}`,
          id,
          name,
          stroke: strokeFor(page.columns.ordinal?.[i], page.columns.color?.[i], scheme),
        },
      ]
    })
    return dashed(found.slice(0, limit))
  }, [table.data, group, isHidden, limit, scheme, place])

  const bands = useMemo(() => {
    if (!group || !groups.data) return undefined
    // Groups are few: they take the colors in turn, in an order that does not depend on the sort.
    const places = new Map(
      groups.data.groups
        .map(groupId)
        .sort()
        .map((id, place) => [id, place]),
    )
    const shown = groups.data.groups.filter((one) => !isHidden(groupId(one))).slice(0, limit)
    const found = shown.map((one) => ({
      id: groupId(one),
      name: groupName(one, catalogue),
      runs: one.runs.map((id) => `${place.entity}/${place.project}/${id}`),
      stroke: strokeOf(places.get(groupId(one))! % palette(scheme).length, scheme),
    }))
    return dashed(found)
  }, [groups.data, group, isHidden, limit, scheme, place, catalogue])

  const strokeById = useMemo(
    () =>
      new Map<string, Stroke>(
        bands ? bands.map((one) => [one.id, one.stroke]) : runs.map((one) => [one.id, one.stroke]),
      ),
    [runs, bands],
  )
  const total = (group ? groups.data?.total : only ? runs.length : table.data?.total) ?? 0
  return {
    runs,
    groups: group ? (bands ?? []) : undefined,
    total,
    strokeById,
    error: group ? groups.error : table.error,
  }
}
