import { duration, moment, number } from '../../lib/format'

/** The kind of x axis: decides ticks and how positions are formatted. */
export type XKind = 'number' | 'duration' | 'time'

export const xKind = (x: string): XKind => (x === '_timestamp' ? 'time' : x === '_runtime' ? 'duration' : 'number')

const SUFFIXES = ['', 'k', 'M', 'G', 'T']

/** Label ticks that are `step` apart, with as many decimals as tell them apart, the same for all. */
export function tickLabels(ticks: number[], step: number): string[] {
  const most = Math.max(...ticks.map(Math.abs))
  if (!(most > 0)) return ticks.map(() => '0')
  if (most < 1e-4 || most >= 1e15) return ticks.map((tick) => number(tick, 3))
  let power = 0
  // The largest unit that does not need more than four decimals
  while (most >= 1000 ** (power + 1) && step / 1000 ** (power + 1) >= 0.99e-4 && power < SUFFIXES.length - 1) power++
  const unit = 1000 ** power
  let decimals = 0
  while (decimals < 10 && !isWhole((step / unit) * 10 ** decimals)) decimals++
  return ticks.map((tick) => (tick === 0 ? '0' : signed((tick / unit).toFixed(decimals)) + SUFFIXES[power]))
}

/** Label the decades of a log axis, or all ticks if it spans less than one decade. */
export function logLabels(ticks: number[]): (string | null)[] {
  const decades = ticks.filter((tick) => tick && Math.abs(Math.log10(tick) % 1) < 1e-9)
  const every = Math.ceil(decades.length / 8)
  return ticks.map((tick) => {
    const at = decades.indexOf(tick)
    if (decades.length > 1 && (at < 0 || at % every)) return null
    return tick ? shortest(tick) : null
  })
}

/** Distances between ticks on an axis of seconds. */
export const DURATION_STEPS = [
  ...[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * 60),
  ...[1, 2, 3, 6, 12].map((hours) => hours * 3600),
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].map((days) => days * 86400),
]

export function durationLabel(seconds: number, step: number): string {
  if (seconds === 0) return '0'
  if (step < 60 && Math.abs(seconds) < 120) return `${number(seconds, 4)} s`
  if (step < 60) return `${Math.floor(seconds / 60)}:${String(Math.round(seconds % 60)).padStart(2, '0')} min`
  if (step < 3600 && Math.abs(seconds) < 7200) return `${number(seconds / 60, 4)} min`
  if (step < 3600)
    return `${Math.floor(seconds / 3600)}:${String(Math.round((seconds % 3600) / 60)).padStart(2, '0')} h`
  return seconds % 86400 === 0 && seconds >= 2 * 86400 ? `${seconds / 86400} d` : `${number(seconds / 3600, 4)} h`
}

/** Format a position on x. */
export const xLabel = (value: number, kind: XKind): string =>
  kind === 'time' ? moment(value) : kind === 'duration' ? duration(value) : number(value, 6)

const shortest = (tick: number): string => {
  const power = Math.round(Math.log10(tick))
  const decade = Math.abs(tick / 10 ** power - 1) < 1e-9
  return decade && Math.abs(power) >= 4 ? signed(`1e${power}`) : number(tick, 3)
}

const isWhole = (value: number): boolean =>
  Math.abs(value - Math.round(value)) < 1e-6 * Math.max(1, Math.abs(value)) && Math.round(value) > 0

const signed = (text: string): string => text.replace('-', '−')
