import { keepPreviousData, queryOptions, useQuery } from '@tanstack/react-query'
import { fetchSeries } from '../../api/chartBatch'
import type { ChartQuery, Series } from '../../api/charts'
import type { ShownGroup } from '../types'
import type { Range } from './sync'
import { compact } from './trace'

export interface Ask {
  /** Where there are groups, these are asked for instead */
  runs: string[]
  groups: ShownGroup[]
  keys: string[]
  x: string
  kind: 'history' | 'system'
  /** Points that can be told apart: pixels of the chart's width; 0 while that is not known */
  buckets: number
}

/** How much more than the range is fetched on each side, so that small movements need no request. */
const MARGIN = 0.25

/** The series over all x, and where these are buckets, those of the range that is zoomed into at full resolution. */
export function useSeries(ask: Ask, zoom: Range | null) {
  const whole = useQuery({ ...seriesQuery(ask), enabled: ask.buckets > 0, placeholderData: keepPreviousData })
  const coarse = whole.data?.some((one) => one.points > one.x.length) ?? false
  const part = useQuery({
    ...seriesQuery(ask, zoom && margined(zoom)),
    enabled: coarse && zoom !== null,
    placeholderData: keepPreviousData,
  })
  // Until the closer look arrives, and while it is of another place, the overview is shown.
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
