import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { runPlaceOf, type RunPlace } from '../../api/paths'
import { data, GET, type Shapes } from '../../api/client'
import type { Stream } from './useConsole'

/** Most matches to fetch. */
const MOST = 10_000
const PAGE = 1000

interface Found {
  lines: number[]
  /** Whether there are more than were fetched */
  more: boolean
}

async function search(
  run: RunPlace,
  stream: Stream,
  text: string,
  regex: boolean,
  signal: AbortSignal,
): Promise<Found> {
  const lines: number[] = []
  let after: number | null = -1
  while (after !== null && lines.length < MOST) {
    const params = { path: runPlaceOf(run), query: { q: text, regex, after, limit: PAGE, ...(stream && { stream }) } }
    const answer: Shapes['Matches'] = await data(
      GET('/api/runs/{entity}/{project}/{id}/console/search', { params, signal }),
    )
    lines.push(...answer.matches)
    after = answer.next
  }
  return { lines, more: after !== null }
}

/** Search all lines, and go from one match to the next. */
export function useSearch(run: RunPlace, stream: Stream) {
  const [text, setText] = useState('')
  const [regex, setRegex] = useState(false)
  const [wanted] = useDebouncedValue(text, 250)
  const [at, setAt] = useState<number | null>(null)
  const {
    data: answer,
    error,
    isFetching,
  } = useQuery({
    queryKey: ['run', run.entity, run.project, run.id, 'console', stream, 'search', wanted, regex],
    queryFn: ({ signal }) => search(run, stream, wanted, regex, signal),
    enabled: wanted !== '',
    retry: false,
  })
  const found = wanted ? (answer ?? null) : null
  const pattern = useMemo(() => patternOf(wanted, regex), [wanted, regex])
  return {
    ...{ text, regex, found, error, pattern, at, setAt },
    isSearching: isFetching,
    /** Whether the matches belong to the current text */
    isSettled: wanted === text && !isFetching,
    setText: (value: string) => {
      setText(value)
      setAt(null)
    },
    setRegex: (value: boolean) => {
      setRegex(value)
      setAt(null)
    },
  }
}

/** The pattern to highlight in visible lines; the server decides which lines match. */
function patternOf(text: string, regex: boolean): RegExp | null {
  if (!text) return null
  try {
    return new RegExp(regex ? text : text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'), regex ? 'g' : 'gi')
  } catch {
    return null // valid on the server, but not in the browser
  }
}
