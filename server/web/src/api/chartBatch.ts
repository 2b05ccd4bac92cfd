import { fetchChart, type ChartQuery, type Series } from './charts'

/** Series that one request asks for at most: the first charts need not wait for all. */
const MOST = 120

/** Panels ask as they are drawn, one after the other. */
const WAIT_MS = 5

type Fetch = (query: ChartQuery, signal: AbortSignal) => Promise<{ series: Series[] }>

interface Batch {
  keys: Set<string>
  waiting: number
  abort: AbortController
  answer: Promise<Series[]>
}

/**
 * Asks for the charts of a wall in few requests: questions that differ in nothing but their keys, asked at about the
 * same time, are one question. The request is aborted once nobody waits for it.
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

/** The series of a chart. Runs and groups without a key have no series of it. */
export const fetchSeries = batching()
