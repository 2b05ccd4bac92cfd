import { keepPreviousData, queryOptions, useQuery } from '@tanstack/react-query'
import { fetchSeries, type ChartQuery } from '../../api/charts'
import { queryClient } from '../../api/queries'
import type { ShownGroup } from '../types'
import type { Range } from './sync'
import { compact, type Got } from './trace'

export interface Ask {
  runs: string[]
  groups: ShownGroup[]
  keys: string[]
  x: string
  kind: 'history' | 'system'
  /** Points that can be told apart: pixels of the chart's width */
  buckets: number
}

/** A chart is fetched again at most this often, in ms, however fast points arrive. */
const REST = 1000

/** What more than the range is fetched on each side, so that small movements have it. */
const MARGIN = 0.25

/** The series over all x, and where these are buckets, those of the range that is zoomed into at full resolution. */
export function useSeries(ask: Ask, zoom: Range | null) {
  const whole = useQuery({ ...seriesQuery(ask), placeholderData: keepPreviousData })
  const coarse = whole.data?.some((one) => one.points > one.x.length) ?? false
  const part = useQuery({
    ...seriesQuery(ask, zoom && margined(zoom)),
    enabled: coarse && zoom !== null,
    placeholderData: keepPreviousData,
  })
  // Until the closer look arrives, and while it is of another place, the overview is shown.
  const fitting = coarse && zoom !== null && !part.isPlaceholderData ? part.data : undefined
  return { whole: whole.data, shown: fitting ?? whole.data, error: whole.error ?? part.error, pending: whole.isPending, refetch: whole.refetch }
}

function seriesQuery({ runs, groups, keys, x, kind, buckets }: Ask, range: Range | null = null) {
  const members = groups.map(({ name, runs: paths }) => ({ name, runs: paths }))
  const query = {
    runs,
    keys,
    kind,
    x,
    buckets: range ? Math.round(buckets * (1 + 2 * MARGIN)) : buckets,
    ...(members.length && { groups: members }),
    ...(range && { min: range[0], max: range[1] }),
  } as ChartQuery
  const queryKey = ['charts', { runs: [...runs, ...members.flatMap((group) => group.runs)] }, query]
  return queryOptions({
    queryKey,
    queryFn: async ({ signal }): Promise<Got[]> => {
      await rest((queryClient.getQueryState(queryKey)?.dataUpdatedAt ?? 0) + REST - Date.now(), signal)
      const parts = []
      if (runs.length) parts.push(fetchSeries({ ...query, groups: undefined } as ChartQuery, signal))
      if (members.length) parts.push(fetchSeries({ ...query, runs: [] }, signal))
      return ((await Promise.all(parts)).flat() as Got[]).map(compact)
    },
  })
}

const margined = ([low, high]: Range): Range => [low - (high - low) * MARGIN, high + (high - low) * MARGIN]

function rest(time: number, signal: AbortSignal): Promise<void> | void {
  if (time <= 0) return
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, Math.min(time, REST))
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      reject(signal.reason)
    })
  })
}
