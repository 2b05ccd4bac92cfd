import { useCallback, useMemo, useRef, useState } from 'react'
import type { Place } from '../api/paths'
import { fetchIds, type Selection } from '../api/table'
import type { Line, Lines } from './useTableLines'

export interface RunSelection {
  ids: ReadonlySet<string>
  select: (line: Line, index: number, range: boolean) => void
  all: () => Promise<void>
  clear: () => void
  /** The name of a run whose line is loaded */
  nameOf: (id: string) => string | null
}

/** The selected runs. The selection lasts as long as the page, through changes of filter and sort. */
export function useRunSelection(
  place: Place,
  question: Selection,
  grouped: boolean,
): RunSelection & { lines: { current: Lines | null } } {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set())
  const lines = useRef<Lines | null>(null)
  const anchor = useRef<number | null>(null)

  // Select all of them, or unselect them if all are selected already.
  const flip = useCallback((some: string[]) => {
    setIds((now) => {
      const on = !some.every((id) => now.has(id))
      const next = new Set(now)
      for (const id of some) {
        if (on) next.add(id)
        else next.delete(id)
      }
      return next
    })
  }, [])

  const select = useCallback(
    async (line: Line, index: number, range: boolean) => {
      const from = anchor.current
      anchor.current = index
      if (line.kind === 'loading') return
      if (range && from !== null && from !== index) {
        const [first, last] = [Math.min(from, index), Math.max(from, index)]
        const more = await between(place, question, grouped ? lines.current : null, first, last)
        setIds((now) => new Set([...now, ...more]))
      } else if (line.kind === 'run') flip([line.id])
      else {
        const { runs, count, filter } = line.group
        flip(count > runs.length ? await fetchIds(place, { ...question, search: '', filter }) : runs)
      }
    },
    [place, question, grouped, flip],
  )

  const all = useCallback(async () => setIds(new Set(await fetchIds(place, question))), [place, question])
  const clear = useCallback(() => {
    anchor.current = null
    setIds(new Set())
  }, [])
  const nameOf = useCallback((id: string): string | null => {
    const index = lines.current?.indexOf(id)
    const line = index === undefined ? undefined : lines.current?.lineAt(index)
    return line?.kind === 'run' ? String(line.page.columns.name?.[line.at] ?? id) : null
  }, [])
  return useMemo(() => ({ ids, select, all, clear, nameOf, lines }), [ids, select, all, clear, nameOf])
}

/** Ids of the runs in a range of lines: with groups, those of open groups; without, also of lines not loaded yet. */
async function between(
  place: Place,
  question: Selection,
  lines: Lines | null,
  first: number,
  last: number,
): Promise<string[]> {
  if (!lines) return fetchIds(place, question, first, last - first + 1)
  const found: string[] = []
  for (let index = first; index <= last; index++) {
    const line = lines.lineAt(index)
    if (line.kind === 'run') found.push(line.id)
    if (line.kind === 'group') found.push(...line.group.runs)
  }
  return found
}
