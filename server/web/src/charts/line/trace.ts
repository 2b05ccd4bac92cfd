import type { Series } from '../../api/charts'
import type { Stroke } from '../../lib/palette'
import { smooth, smooths, sumsBefore } from '../../lib/smoothing'
import type { Smoothing } from '../panelSpec'
import type { ShownGroup, ShownRun } from '../types'

export type Numbers = Float64Array

/** One line as it is drawn. All arrays have one length; x ascends. */
export interface Trace {
  id: string
  name: string
  stroke: Stroke
  x: Numbers
  y: Numbers
  /** The logged values, if `y` is smoothed */
  raw: Numbers | null
  low: Numbers | null
  high: Numbers | null
  /** Points in each entry; null if each is one */
  n: Numbers | null
  /** Whether it has a group's band. The envelope of buckets gets an outline too, so that a single spike is visible */
  band: boolean
}

/** Drop the buckets of the shared x in which this run or group has no point. */
export function compact(one: Series): Series {
  const { n } = one
  if (!n?.includes(0)) return one
  const there = (values: Numbers) => values.filter((_, i) => n[i] !== 0)
  const [mean, std] = [there(one.mean), one.std && there(one.std)]
  const same = one.min === one.mean
  return {
    ...one,
    x: there(one.x),
    mean,
    std,
    min: same ? mean : there(one.min),
    max: same ? mean : there(one.max),
    n: there(n),
  }
}

export interface Style {
  smoothing: Smoothing
  envelope: boolean
  band: 'std' | 'minmax' | 'none' | 'runs'
}

/**
 * Turn series into lines: by key, groups before runs. `whole` are the same series over all x; the smoothing of a part
 * continues from them.
 */
export function traces(
  got: Series[],
  whole: Series[],
  keys: string[],
  runs: ShownRun[],
  groups: ShownGroup[],
  style: Style,
): Trace[] {
  const found = new Map(got.map((one) => [nameOf(one), one]))
  const overviews = whole === got ? found : new Map(whole.map((one) => [nameOf(one), one]))
  const result: Trace[] = []
  const owners = [
    ...groups.map((group) => ({ id: `group ${group.name}`, name: group.name, stroke: group.stroke })),
    ...runs.map((run) => ({ id: `run ${run.path}`, name: run.name, stroke: run.stroke })),
  ]
  keys.forEach((key, at) => {
    for (const { id, name, stroke } of owners) {
      const one = found.get(`${id} ${key}`)
      if (!one?.x.length) continue
      // Several keys in one panel: each its own dash, as the colour is the run's
      const dash = at ? KEY_DASHES[(at - 1) % KEY_DASHES.length]! : stroke.dash
      const label = keys.length > 1 ? `${name} · ${key}` : name
      result.push(
        traceOf(
          one,
          overviews.get(`${id} ${key}`) ?? one,
          { id: `${id} ${key}`, name: label, stroke: { ...stroke, dash } },
          style,
        ),
      )
    }
  })
  return result
}

const KEY_DASHES = [
  [6, 3],
  [2, 2],
  [10, 3, 2, 3],
  [14, 4],
]

/** Return the id of a series' line, from its run or group and its key. */
export const nameOf = (one: Series): string =>
  one.group === undefined ? `run ${one.run} ${one.key}` : `group ${one.group} ${one.key}`

function traceOf(one: Series, whole: Series, own: Pick<Trace, 'id' | 'name' | 'stroke'>, style: Style): Trace {
  const { x, mean, min, max } = one
  const grouped = one.group !== undefined
  const n = grouped ? null : one.n
  const smoothed = smooths(style.smoothing)
  const span = whole.x[whole.x.length - 1]! - whole.x[0]!
  const smoother = (y: Numbers, overview: Numbers) => {
    if (!smoothed) return y
    const line = { x: whole.x, y: overview, n: grouped ? null : whole.n }
    const before = one === whole ? undefined : sumsBefore(line, style.smoothing, span, x[0]!)
    return smooth({ x, y, n }, style.smoothing, span, before)
  }
  const trace: Trace = {
    ...own,
    x,
    n: one.n,
    y: smoother(mean, whole.mean),
    raw: smoothed && !grouped ? mean : null,
    low: null,
    high: null,
    band: grouped,
  }
  if (grouped && style.band === 'std' && one.std && whole.std) {
    trace.low = smoother(combined(mean, one.std, -1), combined(whole.mean, whole.std, -1))
    trace.high = smoother(combined(mean, one.std, 1), combined(whole.mean, whole.std, 1))
  } else if (grouped && style.band === 'minmax') {
    trace.low = smoother(min, whole.min)
    trace.high = smoother(max, whole.max)
  } else if (!grouped && style.envelope && min !== mean) {
    trace.low = min
    trace.high = max
  }
  return trace
}

const combined = (mean: Numbers, std: Numbers, sign: number): Numbers =>
  Float64Array.from(mean, (value, i) => value + sign * std[i]!)

/**
 * Whether two numbers are far enough apart for an axis. Means of a constant differ only in their last digits, where
 * ticks would be lost in rounding.
 */
export const apart = (low: number, high: number) => high - low > 1e-12 * Math.max(Math.abs(low), Math.abs(high))

/**
 * Return how many entries are drawn in a range of x (null: all), and how many points they stand for. Null if unknown:
 * for a part of a group, whose buckets count runs, not points.
 */
export function countsOf(got: Series[], range: [number, number] | null): [drawn: number, all: number] | null {
  let [drawn, all] = [0, 0]
  for (const { x, n, points, group } of got) {
    if (!range) {
      drawn += x.length
      all += points
      continue
    }
    if (group !== undefined) return null
    for (let i = lowerBound(x, range[0]); i < x.length && x[i]! <= range[1]; i++) {
      drawn++
      all += n?.[i] ?? 1
    }
  }
  return [drawn, all]
}

/** Return the first and last x of all lines; null without lines. */
export function extentOf(lines: Trace[]): [number, number] | null {
  let [low, high] = [Infinity, -Infinity]
  for (const { x } of lines) {
    low = Math.min(low, x[0]!)
    high = Math.max(high, x[x.length - 1]!)
  }
  return low <= high ? [low, high] : null
}

/** First index whose x is at least `at`. */
export function lowerBound(x: ArrayLike<number>, at: number): number {
  let [low, high] = [0, x.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (x[middle]! < at) low = middle + 1
    else high = middle
  }
  return low
}

/** Index of the x nearest to `at`. */
export function nearest(x: ArrayLike<number>, at: number): number {
  const i = lowerBound(x, at)
  if (i === 0) return 0
  if (i === x.length) return i - 1
  return at - x[i - 1]! <= x[i]! - at ? i - 1 : i
}

/**
 * Return the lowest and highest y between two x; with `clip` the 5th and 95th percentiles. Null if nothing can be
 * drawn.
 */
export function yExtent(
  lines: Trace[],
  [from, to]: [number, number],
  clip: boolean,
  log: boolean,
): [number, number] | null {
  let [low, high] = [Infinity, -Infinity]
  const values: number[] = []
  const take = (y: Numbers, start: number, stop: number) => {
    for (let i = start; i < stop; i++) {
      const value = y[i]!
      if (!(Math.abs(value) < Infinity) || (log && value <= 0)) continue
      if (clip) values.push(value)
      else {
        if (value < low) low = value
        if (value > high) high = value
      }
    }
  }
  for (const { x, y, raw, low: lower, high: upper } of lines) {
    const start = lowerBound(x, from)
    let stop = start
    stop = lowerBound(x, to)
    if (stop < x.length && x[stop] === to) stop++
    for (const part of clip ? [raw ?? y] : [y, raw, lower, upper]) if (part) take(part, start, stop)
  }
  if (clip && values.length) {
    const sorted = Float64Array.from(values).sort()
    const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!
    return [at(0.05), at(0.95)]
  }
  return low <= high ? [low, high] : null
}
