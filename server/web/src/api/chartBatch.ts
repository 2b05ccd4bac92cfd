import { fetchChart, type ChartQuery, type Series } from './charts'

/** Most series in one request, so that the first charts need not wait for all. */
const MOST = 120

/** Milliseconds to collect requests: panels send theirs one after the other, as they are drawn. */
const WAIT_MS = 5

type Fetch = (query: ChartQuery, signal: AbortSignal) => Promise<{ series: Series[] }>

interface Batch {
  keys: Set<string>
  waiting: number
  abort: AbortController
  answer: Promise<Series[]>
}

/**
 * Fetch the charts of a page in few requests: queries at about the same time that differ only in their keys become one
 * request. It is aborted once nobody waits for it.
 */
export function batching(fetch: Fetch = fetchChart): (query: ChartQuery, signal?: AbortSignal) => Promise<Series[]> {
  const open = new Map<string, Batch>()

  function begin(query: ChartQuery, name: string): Batch {
    const keys = new Set<string>()
    const abort = new AbortController()
    const answer = new Promise<void>((done) => setTimeout(done, WAIT_MS)).then(async () => {
      if (open.get(name) === batch) open.delete(name)
      return (await fetch({ ...query, keys: [...keys] }, abort.signal)).series
    })
    const batch: Batch = { keys, waiting: 0, abort, answer }
    open.set(name, batch)
    return batch
  }

  return async (query, signal) => {
    const name = JSON.stringify({ ...query, keys: null })
    const lines = query.groups?.length ?? query.runs?.length ?? 1
    const room = Math.max(1, Math.floor(MOST / lines))
    let batch = open.get(name)
    if (!batch || batch.keys.size + query.keys.length > room) batch = begin(query, name)
    for (const key of query.keys) batch.keys.add(key)
    batch.waiting++
    const { abort, answer } = batch
    const left = () => --batch.waiting || abort.abort()
    signal?.addEventListener('abort', left)
    try {
      const series = await answer
      return series.filter((one) => query.keys.includes(one.key))
    } finally {
      signal?.removeEventListener('abort', left)
    }
  }
}

/** Fetch the series of a chart. Runs and groups that lack a key have no series for it. */
export const fetchSeries = batching()
