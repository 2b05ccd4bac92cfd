import { useQueries, useQuery, keepPreviousData } from '@tanstack/react-query'
import { useCallback, useMemo, useRef, useState } from 'react'
import type { Grouping } from '../view/view'
import type { Place } from '../api/paths'
import { groupsQuery, PAGE, tableQuery, type GroupRow, type Selection, type TablePage } from '../api/table'

/** The content of one line of the table; `loading` until it arrives. */
export type Line =
  | { kind: 'run'; id: string; page: TablePage; at: number; inGroup: boolean }
  | { kind: 'group'; id: string; group: GroupRow; open: boolean }
  | { kind: 'loading' }

export interface Lines {
  count: number
  /** Runs, or groups where runs are grouped */
  total: number | undefined
  /** Runs, also those in groups that are closed */
  runs: number | undefined
  lineAt: (index: number) => Line
  /** The line of a loaded run or group */
  indexOf: (id: string) => number | undefined
  /** The lines belong to the previous filter or sort; the new ones are loading */
  stale: boolean
  error: Error | null
  toggle: (group: GroupRow) => void
}

const GROUPS = 1000
const LOADING: Line = { kind: 'loading' }

/** Identify a group by its common values. */
export const groupId = (group: GroupRow): string =>
  `group:${JSON.stringify(group.key, (_, one) => (typeof one === 'bigint' ? String(one) : one))}`

interface Section {
  /** Line of its first run */
  from: number
  count: number
  selection: Selection
}

/**
 * Return the rows of the table around the visible ones. Runs load in pages; with `group`, groups load first, and a
 * group's runs when it is opened. After a change of sort or filter, the previous rows stay until new ones arrive.
 */
export function useLines(
  place: Place,
  selection: Selection,
  group: Grouping,
  columns: string[],
  range: [number, number],
): Lines {
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set())
  const groups = useQuery({
    ...groupsQuery(place, selection, group ?? { by: [] }, columns, 0, GROUPS),
    enabled: group !== null,
    placeholderData: keepPreviousData,
  })
  const headings = group ? groups.data?.groups : undefined

  const { sections, starts } = useMemo(() => {
    if (!headings) return { sections: [{ from: 0, count: Infinity, selection }], starts: [] }
    const sections: Section[] = []
    const starts: number[] = []
    let line = 0
    for (const one of headings) {
      starts.push(line++)
      if (!opened.has(groupId(one))) continue
      sections.push({ from: line, count: one.count, selection: { ...selection, search: '', filter: one.filter } })
      line += one.count
    }
    return { sections, starts: [...starts, line] }
  }, [headings, opened, selection])

  const wanted = group && !headings ? [] : pagesIn(sections, range)
  const results = useQueries({
    queries: wanted.map(({ section, page }) =>
      tableQuery(place, { ...section.selection, columns, offset: page * PAGE, limit: PAGE }),
    ),
  })

  const pages = new Map<string, TablePage>()
  let total: number | undefined
  let newest = 0
  results.forEach((result, i) => {
    if (!result.data) return
    pages.set(`${wanted[i]!.section.from}/${wanted[i]!.page}`, result.data)
    if (result.dataUpdatedAt >= newest) [total, newest] = [result.data.total, result.dataUpdatedAt]
  })
  if (headings) total = groups.data!.total

  const toggle = useCallback((one: GroupRow) => {
    setOpened((now) => {
      const next = new Set(now)
      if (!next.delete(groupId(one))) next.add(groupId(one))
      return next
    })
  }, [])

  const key = [...pages.values(), headings, opened, sections, total]
  const built = useStable(key, () => {
    const count = headings ? starts.at(-1)! : (total ?? 0)
    const find = (index: number): Line => {
      if (headings) {
        const at = lastAtMost(starts, index)
        const heading = headings[at]
        if (heading && starts[at] === index) {
          return { kind: 'group', id: groupId(heading), group: heading, open: opened.has(groupId(heading)) }
        }
      }
      const section = sections.findLast((one) => one.from <= index)
      if (!section) return LOADING
      const offset = index - section.from
      const page = pages.get(`${section.from}/${Math.floor(offset / PAGE)}`)
      const id = page?.runs[offset % PAGE]
      return id === undefined ? LOADING : { kind: 'run', id, page: page!, at: offset % PAGE, inGroup: !!headings }
    }
    // Return the same object for the same line, so that its row does not render again.
    const found = new Map<number, Line>()
    const lineAt = (index: number): Line => {
      const line = found.get(index) ?? find(index)
      found.set(index, line)
      return line
    }
    const places = new Map<string, number>()
    for (const [i, heading] of headings?.entries() ?? []) places.set(groupId(heading), starts[i]!)
    for (const [name, page] of pages) {
      const [from, number] = name.split('/').map(Number) as [number, number]
      for (const [i, id] of page.runs.entries()) places.set(id, from + number * PAGE + i)
    }
    const runs = headings ? headings.reduce((sum, one) => sum + one.count, 0) : total
    return { count, total, runs, lineAt, indexOf: (id: string) => places.get(id) }
  })

  const there = group ? headings !== undefined : pages.size > 0
  const last = useRef({ place: '', built })
  const placeName = `${place.entity}/${place.project}`
  if (there || last.current.place !== placeName) last.current = { place: placeName, built }
  const kept = last.current.built
  const error = (group ? groups.error : null) ?? results.find((result) => result.error)?.error ?? null
  const stale = !error && (!there || (group !== null && groups.isPlaceholderData))
  return useMemo(() => ({ ...kept, stale, error, toggle }), [kept, stale, error, toggle])
}

/** Return the pages that hold rows of the range. */
function pagesIn(sections: Section[], [first, last]: [number, number]): { section: Section; page: number }[] {
  const found: { section: Section; page: number }[] = []
  for (const section of sections) {
    const from = Math.max(first - section.from, 0)
    const to = Math.min(last - section.from, section.count - 1)
    for (let page = Math.floor(from / PAGE); page * PAGE <= to; page++) found.push({ section, page })
  }
  return found
}

/** Return the index of the last of ascending `numbers` that is at most `value`. */
function lastAtMost(numbers: number[], value: number): number {
  let [low, high] = [0, numbers.length - 1]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (numbers[middle]! <= value) low = middle
    else high = middle - 1
  }
  return low
}

/** Like `useMemo`, but the number of dependencies may change. */
function useStable<T>(dependencies: unknown[], make: () => T): T {
  const kept = useRef<{ dependencies: unknown[]; value: T } | null>(null)
  const same =
    kept.current?.dependencies.length === dependencies.length &&
    kept.current.dependencies.every((one, i) => Object.is(one, dependencies[i]))
  if (!same) kept.current = { dependencies, value: make() }
  return kept.current!.value
}
