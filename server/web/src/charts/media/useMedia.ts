import { queryOptions, useQueries } from '@tanstack/react-query'
import { useMemo } from 'react'
import { data, GET, storedJson, type Shapes } from '../../api/client'
import { urlOf, type RunPlace } from '../../api/paths'
import type { ShownRun } from '../types'
import { mediaOf, type Item } from './mediaValues'

/** What a run has logged under a key, and the base address of the contents. */
export interface MediaRun {
  run: ShownRun
  base: string
  items: Item[]
  /** Whether some rows were not fetched */
  more: boolean
}

/** Rows per request, and requests per run and key. */
const PAGE = 1000
const PAGES = 5

/** Most runs whose media are shown together. */
export const SHOWN = 10

const runOf = (path: string): RunPlace => {
  const [entity = '', project = '', id = ''] = path.split('/')
  return { entity, project, id }
}

const mediaQuery = (path: string, key: string) =>
  queryOptions({
    queryKey: ['run', ...path.split('/'), 'media', key],
    queryFn: async ({ signal }) => {
      const items: Item[] = []
      let cursor: string | null = null
      for (let page = 0; page < PAGES; page++) {
        const params = { path: runOf(path), query: { keys: [key], limit: PAGE, ...(cursor && { cursor }) } }
        const answer: Shapes['RowPage'] = await data(
          GET('/api/runs/{entity}/{project}/{id}/history', { params, signal }),
        )
        const found = Object.hasOwn(answer.columns, key) ? answer.columns[key] : undefined
        const steps = answer.columns._step
        found?.values.forEach((value, i) => {
          const values = mediaOf(value)
          const row = found.rows?.[i] ?? i
          // All rows have a step.
          if (values.length) items.push({ step: Number(steps?.values[row] ?? row), values })
        })
        cursor = answer.cursor
        if (!cursor) break
      }
      items.sort((a, b) => a.step - b.step)
      return { items, more: cursor !== null }
    },
  })

/** Return what the runs have logged under a key, without runs that logged nothing. */
export function useMedia(runs: ShownRun[], key: string) {
  const asked = useMemo(() => runs.slice(0, SHOWN), [runs])
  const { answers, pending, error } = useQueries({
    queries: asked.map((run) => mediaQuery(run.path, key)),
    combine: (all) => ({
      answers: all.map((one) => one.data),
      pending: all.some((one) => one.isPending),
      error: all.find((one) => one.error)?.error ?? null,
    }),
  })
  const found = useMemo(
    () =>
      asked.flatMap((run, i): MediaRun[] =>
        answers[i]?.items.length ? [{ run, base: urlOf(runOf(run.path)), ...answers[i] }] : [],
      ),
    [answers, asked],
  )
  return { found, pending, error }
}

/** Fetch the content of a stored JSON value. */
export const contentQuery = (base: string, digest: string) =>
  queryOptions({
    queryKey: ['blob', base, digest],
    queryFn: ({ signal }) => storedJson(`${base}/blobs/${digest}`, signal),
    staleTime: Infinity, // the address contains the digest of the content
  })
