import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { ApiError, send } from '../api/client'
import { queryClient } from '../api/queries'
import type { Grouping, Sort } from '../view/view'

/** Where runs are: `entity/project`. */
export interface Place {
  entity: string
  project: string
}

export type ColumnType = 'number' | 'text' | 'boolean' | 'time' | 'list' | 'media' | 'mixed'

/** What the runs of a project hold under one name. */
export interface ColumnInfo {
  name: string
  kind: 'run' | 'config' | 'summary'
  type: ColumnType
  count: number
  distinct: number
  differs: boolean
  min?: number | null
  max?: number | null
  values?: string[]
}

/** Which runs, in which order. */
export interface Selection {
  filter: string
  search: string
  sort: Sort[]
  trashed?: boolean
}

export interface TablePage {
  total: number
  version: string | number
  runs: string[]
  columns: Record<string, unknown[]>
}

export type Aggregate =
  | { n: number; mean: number; std: number; min: number; max: number }
  | { distinct: number; value: unknown }

export interface GroupRow {
  key: Record<string, unknown>
  count: number
  /** At most 1000 ids */
  runs: string[]
  values: Record<string, Aggregate>
  /** Selects exactly its runs */
  filter: string
}

export interface GroupPage {
  total: number
  groups: GroupRow[]
}

/** A filter that the server does not understand, and where in its text. */
export class FilterError extends ApiError {
  constructor(
    message: string,
    readonly position: number,
    readonly length: number,
  ) {
    super(400, message)
  }
}

async function call<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  try {
    return await send<T>(method, path, body, signal)
  } catch (error) {
    const place = error instanceof ApiError ? (error.answer as { position?: unknown; length?: number } | null) : null
    if (typeof place?.position !== 'number') throw error
    throw new FilterError((error as ApiError).message, place.position, place.length ?? 1)
  }
}

const at = ({ entity, project }: Place): string => `${encodeURIComponent(entity)}/${encodeURIComponent(project)}`

/** Columns that there are; `matching` counts those that fit the search, listed or not. */
export interface Columns {
  columns: ColumnInfo[]
  matching: number
}

/** What the server lists by itself and, beside, columns that are named or whose name has a text. */
export const fetchColumns = (place: Place, asked: { search?: string; names?: string[] }, signal?: AbortSignal): Promise<Columns> =>
  call('POST', `/api/columns/${at(place)}`, asked, signal)

export interface TableRequest extends Selection {
  columns: string[]
  offset: number
  limit: number
  ids?: string[]
}

export const fetchTable = (place: Place, request: TableRequest, signal?: AbortSignal): Promise<TablePage> =>
  call('POST', `/api/table/${at(place)}`, request, signal)

export const tableQuery = (place: Place, request: TableRequest) =>
  queryOptions({
    queryKey: ['table', place.entity, place.project, request],
    queryFn: ({ signal }) => fetchTable(place, request, signal),
  })

/** Runs that are asked for together. */
export const PAGE = 100

/** What the table begins with; others who need some of it ask the same, and so for nothing. */
export const firstPage = (selection: Selection, columns: string[]): TableRequest => ({ ...selection, columns, offset: 0, limit: PAGE })

/** As `tableQuery`, showing the former answer until another is there. */
export const steadyTableQuery = (place: Place, request: TableRequest) =>
  queryOptions({ ...tableQuery(place, request), placeholderData: keepPreviousData })

export const groupsQuery = (place: Place, selection: Selection, group: NonNullable<Grouping>, columns: string[], offset: number, limit: number) =>
  queryOptions({
    queryKey: ['groups', place.entity, place.project, selection, group, columns, offset, limit],
    queryFn: ({ signal }): Promise<GroupPage> =>
      call('POST', `/api/groups/${at(place)}`, { ...selection, ...group, columns, offset, limit }, signal),
  })

/** The server's limit of one answer. */
const MOST = 10_000

/** Ids of all runs of a selection, or of those from `offset` on, in its order. */
export async function fetchIds(place: Place, selection: Selection, offset = 0, count = Infinity): Promise<string[]> {
  const ids: string[] = []
  for (;;) {
    const limit = Math.min(MOST, count - ids.length)
    const page = await fetchTable(place, { ...selection, columns: [], offset: offset + ids.length, limit })
    ids.push(...page.runs)
    if (page.runs.length < limit || ids.length >= count) return ids
  }
}

export interface Edit {
  set?: { name?: string; notes?: string; group?: string; job_type?: string; color?: string | null }
  add_tags?: string[]
  remove_tags?: string[]
  stop?: true
}

export type Change = { changed: number }

const pathsOf = (place: Place, ids: string[]) => ids.map((id) => `${place.entity}/${place.project}/${id}`)

/** What shows runs is asked again; the live stream would tell of the change too, a moment later. */
async function changing<T>(place: Place, answer: Promise<T>): Promise<T> {
  const result = await answer
  for (const kind of ['table', 'groups', 'columns', 'run', 'charts']) {
    void queryClient.invalidateQueries({ queryKey: kind === 'charts' ? [kind] : [kind, place.entity, place.project] })
  }
  void queryClient.invalidateQueries({ queryKey: ['projects'] })
  return result
}

export const editRuns = (place: Place, ids: string[], edit: Edit): Promise<Change> =>
  changing(place, call('POST', '/api/edits', { runs: pathsOf(place, ids), ...edit }))

export const trashRuns = (place: Place, ids: string[]): Promise<Change> =>
  changing(place, call('POST', '/api/trash', { runs: pathsOf(place, ids) }))

export const restoreRuns = (place: Place, ids: string[]): Promise<Change> =>
  changing(place, call('POST', '/api/trash/restore', { runs: pathsOf(place, ids) }))

/** Delete for ever. */
export const destroyRuns = (place: Place, ids: string[]): Promise<unknown> =>
  changing(place, Promise.all(ids.map((id) => call('DELETE', `/api/runs/${at(place)}/${encodeURIComponent(id)}`))))

export interface SavedView {
  name: string
  updated: number
}

export const projectQuery = (place: Place) =>
  queryOptions({
    queryKey: ['project', place.entity, place.project],
    queryFn: ({ signal }) => call<{ views: SavedView[] }>('GET', `/api/projects/${at(place)}`, undefined, signal),
  })

const viewAt = (place: Place, name: string): string => `/api/projects/${at(place)}/views/${encodeURIComponent(name)}`

const viewsChanged = (place: Place) => queryClient.invalidateQueries({ queryKey: ['project', place.entity, place.project] })

export async function loadView(place: Place, name: string): Promise<unknown> {
  return (await call<{ view: unknown }>('GET', viewAt(place, name))).view
}

export async function saveView(place: Place, name: string, view: unknown): Promise<void> {
  await call('PUT', viewAt(place, name), { view })
  await viewsChanged(place)
}

export async function deleteView(place: Place, name: string): Promise<void> {
  await call('DELETE', viewAt(place, name))
  await viewsChanged(place)
}
