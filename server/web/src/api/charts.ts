import { bytes, type Shapes } from './client'
import { decodeFrame } from './binaryFrame'

/**
 * One key of one run or group of runs. Equal arrays are one object, also between series: do not write to them.
 */
export interface Series {
  /** `entity/project/id`; empty for a group */
  run: string
  /** The group's name; undefined for a run */
  group?: string
  key: string
  /** Points that the entries summarize, over all runs */
  points: number
  x: Float64Array
  /** For a group, the mean of the means of its runs. NaN without a finite point. */
  mean: Float64Array
  /** Exact extremes of the points, over all runs of a group; the same object as `mean` if entries are points */
  min: Float64Array
  max: Float64Array
  /** Points in each bucket, for a group runs; lines skip empty buckets (0). Null if entries are points */
  n: Float64Array | null
  /** Standard deviation over the runs of a group */
  std: Float64Array | null
}

export interface Chart {
  series: Series[]
  /** The x shared by all series of buckets (`series.x === grid`); null without such series */
  grid: Float64Array | null
}

export type ChartQuery = Shapes['ChartRequest']

/** The header of a frame. The array members of a series are indices into the frame's arrays. */
interface Header {
  series: ({ run?: string; group?: string; key: string; points: number } & Record<
    'x' | 'mean' | 'min' | 'max',
    number
  > & { n: number | null; std: number | null })[]
  grid: number | null
}

/** Fetch a line chart. Runs and groups that lack a key have no series for it. */
export async function fetchChart(query: ChartQuery, signal?: AbortSignal): Promise<Chart> {
  if (!(query.runs?.length || query.groups?.length) || !query.keys.length) return { series: [], grid: null }
  const answer = await bytes('/api/charts', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/x-tracker-frame' },
    body: JSON.stringify(query),
    signal,
  })
  return decodeChart(answer)
}

export function decodeChart(frame: ArrayBuffer): Chart {
  const { header, arrays } = decodeFrame<Header>(frame)
  const array = (index: number): Float64Array => arrays[index]!
  const orNull = (index: number | null): Float64Array | null => (index === null ? null : array(index))
  return {
    series: header.series.map((one) => ({
      run: one.run ?? '',
      group: one.group,
      key: one.key,
      points: one.points,
      x: array(one.x),
      mean: array(one.mean),
      min: array(one.min),
      max: array(one.max),
      n: orNull(one.n),
      std: orNull(one.std),
    })),
    grid: orNull(header.grid),
  }
}
