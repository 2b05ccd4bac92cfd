import { queryOptions, useQueries, useQuery } from '@tanstack/react-query'
import { useRef } from 'react'
import { runPlaceOf, type RunPlace } from '../../api/paths'
import { data, GET, type Shapes } from '../../api/client'

export type ConsoleLine = Shapes['ConsoleLine']

/** The output stream to show; empty for both */
export type Stream = '' | 'stdout' | 'stderr'

/** Lines per request. */
export const BLOCK = 500

/** Fetch lines from number `start` on; a negative one counts from the end. */
export function fetchLines(run: RunPlace, stream: Stream, start: number, limit: number, signal?: AbortSignal) {
  const params = { path: runPlaceOf(run), query: { start, limit, ...(stream && { stream }) } }
  return data(GET('/api/runs/{entity}/{project}/{id}/console', { params, signal }))
}

const keyOf = (run: RunPlace, stream: Stream) => ['run', run.entity, run.project, run.id, 'console', stream]

/** Return the number of lines; undefined until it is known. */
export function useTotal(run: RunPlace, stream: Stream) {
  return useQuery({
    queryKey: [...keyOf(run, stream), 'total'],
    queryFn: async ({ signal }) => (await fetchLines(run, stream, -1, 1, signal)).total,
  })
}

/** Return the lines from `from` to `to` that have been fetched, by number. */
export function useLines(run: RunPlace, stream: Stream, total: number, from: number, to: number) {
  const known = useRef(new Map<string, ConsoleLine[]>())
  const blocks: number[] = []
  for (let block = Math.floor(from / BLOCK); block * BLOCK < Math.min(to, total); block++) blocks.push(block)
  const answers = useQueries({
    queries: blocks.map((block) => {
      // The last block gets another key when it has more lines.
      const end = Math.min(total, (block + 1) * BLOCK)
      return queryOptions({
        queryKey: [...keyOf(run, stream), 'block', block, end],
        queryFn: async ({ signal }) => {
          const { lines } = await fetchLines(run, stream, block * BLOCK, BLOCK, signal)
          known.current.set(`${stream}${block}`, lines)
          return lines
        },
        gcTime: 60_000,
      })
    }),
  })
  const error = answers.find((one) => one.error)?.error ?? null
  const lineAt = (at: number): ConsoleLine | undefined => {
    const block = Math.floor(at / BLOCK)
    // Show the previous lines of a block while it is refetched.
    const lines = answers[blocks.indexOf(block)]?.data ?? known.current.get(`${stream}${block}`)
    return lines?.[at - block * BLOCK]
  }
  return { lineAt, error }
}
