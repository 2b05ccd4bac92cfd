import { keepPreviousData, queryOptions, useQuery } from '@tanstack/react-query'
import { fetchSeries } from '../../api/chartBatch'
import type { ChartQuery, Series } from '../../api/charts'
import type { ShownGroup } from '../types'
import type { Range } from './sync'
import { compact } from './trace'

export interface Ask {
  /** Not requested if there are groups */
  runs: string[]
  groups: ShownGroup[]
  keys: string[]
  x: string
  kind: 'history' | 'system'
  /** Number of buckets to request: the chart's width in pixels; 0 before it is known */
  buckets: number
}

/** Share of the range that is fetched beyond each end, so that small pans need no request. */
const MARGIN = 0.25

/** Return the series over all x, and if those are buckets, the series of the zoomed range in full resolution. */
export function useSeries(ask: Ask, zoom: Range | null) {
  const whole = useQuery({ ...seriesQuery(ask), enabled: ask.buckets > 0, placeholderData: keepPreviousData })
  const coarse = whole.data?.some((one) => one.points > one.x.length) ?? false
  const part = useQuery({
    ...seriesQuery(ask, zoom && margined(zoom)),
    enabled: coarse && zoom !== null,
    placeholderData: keepPreviousData,
  })
  // Show the overview until the zoomed series arrive, and while they are of another range.
  const fitting = coarse && zoom !== null && !part.isPlaceholderData ? part.data : undefined
  return {
    whole: whole.data,
    shown: fitting ?? whole.data,
    error: whole.error ?? part.error,
    pending: whole.isPending,
    refetch: whole.refetch,
  }
}

function seriesQuery({ runs, groups, keys, x, kind, buckets }: Ask, range: Range | null = null) {
  const members = groups.map((group) => ({ name: group.name, runs: group.runs }))
  const query: ChartQuery = {
    ...(members.length ? { groups: members } : { runs }),
    ...{ keys, kind, x },
    buckets: range ? Math.round(buckets * (1 + 2 * MARGIN)) : buckets,
    ...(range && { min: range[0], max: range[1] }),
  }
  const queryKey = ['charts', { runs: members.length ? members.flatMap((group) => group.runs) : runs }, query]
  return queryOptions({
    queryKey,
    queryFn: async ({ signal }): Promise<Series[]> => (await fetchSeries(query, signal)).map(compact),
  })
}

const margined = ([low, high]: Range): Range => [low - (high - low) * MARGIN, high + (high - low) * MARGIN]
