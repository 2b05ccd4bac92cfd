import { queryOptions, useQuery } from '@tanstack/react-query'
import { useEffect } from 'react'
import { queryClient } from '../api/queries'
import type { View } from '../view/view'
import type { Place } from '../api/paths'
import { fetchColumns } from '../api/table'

/** The most names to keep in addition to those that the server lists by itself. */
const MOST = 1000

/** A search starts this long after the last key. */
const SETTLED_MS = 250

/** By project, columns that a search found or a view names. They stay in the catalogue. */
const named = new Map<string, Set<string>>()

const idOf = ({ entity, project }: Place): string => `${entity}/${project}`

/** The columns of a project. Of very many, the server lists a part, plus the columns that were searched for. */
export const columnsQuery = (place: Place) =>
  queryOptions({
    queryKey: ['columns', place.entity, place.project],
    queryFn: ({ signal }) => fetchColumns(place, { names: [...(named.get(idOf(place)) ?? [])] }, signal),
  })

/** Add columns to the catalogue. */
function want(place: Place, names: string[]): void {
  const there = named.get(idOf(place)) ?? new Set<string>()
  const more = names.filter((name) => !there.has(name))
  if (!more.length) return
  named.set(idOf(place), new Set([...there, ...more].slice(-MOST)))
  void queryClient.invalidateQueries({ queryKey: columnsQuery(place).queryKey })
}

/** Search for columns whose name contains the text, unless the catalogue holds all columns. */
export function useColumnSearch(place: Place, search: string): void {
  const { data } = useQuery(columnsQuery(place))
  const partial = data !== undefined && data.matching > data.columns.length
  const { entity, project } = place
  const text = search.trim()
  useEffect(() => {
    if (!partial || !text) return
    const abort = new AbortController()
    const timer = setTimeout(() => {
      fetchColumns({ entity, project }, { search: text }, abort.signal).then(
        ({ columns }) =>
          want(
            { entity, project },
            columns.map((one) => one.name),
          ),
        () => {}, // the catalogue stays as it is
      )
    }, SETTLED_MS)
    return () => {
      clearTimeout(timer)
      abort.abort()
    }
  }, [partial, text, entity, project])
}

/** Add the columns that a view names to the catalogue. */
export function useViewColumns(place: Place, view: View): void {
  const { data } = useQuery(columnsQuery(place))
  const grouped = view.group === null ? [] : 'by' in view.group ? view.group.by : view.group.except
  const names = [...view.columns.order, ...view.columns.pinned, ...view.sort.map((one) => one.column), ...grouped]
  const key = JSON.stringify(names)
  useEffect(() => {
    if (!data || data.matching <= data.columns.length) return
    const there = new Set(data.columns.map((one) => one.name))
    const plain = (JSON.parse(key) as string[]).map((name) =>
      there.has(name) ? name : name.replace(/@(last|min|max|mean|step=\d+)$/, ''),
    )
    want(
      place,
      plain.filter((name) => !there.has(name)),
    )
  }, [place, data, key])
}
