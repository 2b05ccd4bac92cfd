/** The runs table of a project: its columns, rows, groups and ids. */
import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import type { Grouping, Sort } from '../view/view'
import { data, POST, type Shapes } from './client'
import { placeOf, type Place } from './paths'

export type ColumnInfo = Shapes['ColumnInfo']
export type ColumnType = ColumnInfo['type']
export type TablePage = Shapes['TablePage']
export type GroupRow = Shapes['RunGroup']
export type Aggregate = Shapes['Summed']

/** Chooses runs and their order. */
export interface Selection extends Pick<Shapes['TableRequest'], 'trashed'> {
  filter: string
  search: string
  sort: Sort[]
}

export interface TableRequest extends Selection, Pick<Shapes['TableRequest'], 'ids'> {
  columns: string[]
  offset: number
  limit: number
}

/** Fetch the columns that the server lists by default, plus those in `names` or whose name contains `search`. */
export const fetchColumns = (place: Place, body: Shapes['ColumnsRequest'], signal?: AbortSignal) =>
  data(POST('/api/columns/{entity}/{project}', { params: { path: placeOf(place) }, body, signal }))

export const fetchTable = (place: Place, body: TableRequest, signal?: AbortSignal) =>
  data(POST('/api/table/{entity}/{project}', { params: { path: placeOf(place) }, body, signal }))

export const tableQuery = (place: Place, request: TableRequest) =>
  queryOptions({
    queryKey: ['table', place.entity, place.project, request],
    queryFn: ({ signal }) => fetchTable(place, request, signal),
  })

/** Runs per request of the table. */
export const PAGE = 100

/** The table's first request. Code that needs part of its answer makes the same one, so that the cache answers it. */
export const firstPage = (selection: Selection, columns: string[]): TableRequest => ({
  ...selection,
  columns,
  offset: 0,
  limit: PAGE,
})

/** Like `tableQuery`, but shows the previous answer until the next one arrives. */
export const steadyTableQuery = (place: Place, request: TableRequest) =>
  queryOptions({ ...tableQuery(place, request), placeholderData: keepPreviousData })

export const groupsQuery = (
  place: Place,
  selection: Selection,
  group: NonNullable<Grouping>,
  columns: string[],
  offset: number,
  limit: number,
) =>
  queryOptions({
    queryKey: ['groups', place.entity, place.project, selection, group, columns, offset, limit],
    queryFn: ({ signal }) =>
      data(
        POST('/api/groups/{entity}/{project}', {
          params: { path: placeOf(place) },
          body: { ...selection, ...group, columns, offset, limit },
          signal,
        }),
      ),
  })

/** The server's limit of rows in one answer. */
const MOST = 10_000

/** Fetch the ids of the runs of a selection in its order: all, or `count` of them from `offset` on. */
export async function fetchIds(place: Place, selection: Selection, offset = 0, count = Infinity): Promise<string[]> {
  const ids: string[] = []
  for (;;) {
    const limit = Math.min(MOST, count - ids.length)
    const page = await fetchTable(place, { ...selection, columns: [], offset: offset + ids.length, limit })
    ids.push(...page.runs)
    if (page.runs.length < limit || ids.length >= count) return ids
  }
}
