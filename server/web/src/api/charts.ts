import { bytes } from './client'
import { decodeFrame } from './frame'

/** One key of one run. Where `points > x.length`, each entry stands for `n` points: their mean and exact extremes. */
export interface Series {
  run: string
  key: string
  points: number
  x: Float64Array
  mean: Float64Array
  min: Float64Array
  max: Float64Array
  n: Float64Array
}

export interface ChartQuery {
  /** `entity/project/id` each */
  runs: string[]
  keys: string[]
  kind?: 'history' | 'system'
  /** `_step`, `_timestamp`, `_runtime` or a logged key */
  x?: string
  buckets?: number
  min?: number
  max?: number
}

/** Ask for line charts. Runs without the key have no series. */
export async function fetchSeries(query: ChartQuery, signal?: AbortSignal): Promise<Series[]> {
  if (!query.runs.length || !query.keys.length) return []
  const answer = await bytes('/api/charts', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/x-tracker-frame' },
    body: JSON.stringify(query),
    signal,
  })
  const { header, arrays } = decodeFrame<{ series: { run: string; key: string; points: number }[] }>(answer)
  return header.series.map((one, i) => {
    const [x, mean, min, max, n] = arrays.slice(5 * i, 5 * i + 5) as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ]
    return { ...one, x, mean, min, max, n }
  })
}
