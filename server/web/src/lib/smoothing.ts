/**
 * Smoothing of one line. Where entries stand for `n` points each (buckets), an entry counts as n equal points, so that
 * the curve is the same at every resolution. Non-finite values stay as they are and are skipped, and a line that is
 * constant is left untouched.
 */
import type { Smoothing } from '../charts/panelSpec'

export interface Line {
  x: ArrayLike<number>
  y: ArrayLike<number>
  /** How many points each entry stands for; by default one */
  n?: ArrayLike<number> | null
}

/** Sums in which earlier points have decayed, up to some place in a line: what an average goes on from. */
export interface Sums {
  weighted: number
  weights: number
  /** x of the last point in them */
  x: number
}

export const NOTHING: Sums = { weighted: 0, weights: 0, x: NaN }

/**
 * The exponential moving average that TensorBoard draws: v̄ᵢ = w·v̄ᵢ₋₁ + (1−w)·vᵢ from v̄ = 0, divided by 1 − wⁱ, which
 * takes the pull of the initial zero out. Writing both as sums of decaying weights gives the same quotient, also when
 * it goes on from the sums of what came before the line (`before`).
 */
export function ema(line: Line, weight: number, before: Sums = NOTHING): Float64Array {
  return average(line, before, byPoints(weight))
}

/**
 * An exponential moving average in which the distance on x decides, not the number of points: over a thousandth of
 * `span` the past decays by `weight`. Dense stretches of a line thus count no more than sparse ones.
 */
export function timeEma(line: Line, weight: number, span: number, before: Sums = NOTHING): Float64Array {
  return average(line, before, byDistance(weight, span))
}

/** Mean of the finite ones of the `window` points around each point. */
export function runningMean({ y, n }: Line, window: number): Float64Array {
  const out = Float64Array.from(y)
  const half = (Math.max(1, window) - 1) / 2
  if (half <= 0 || isConstant(y)) return out
  const size = (i: number) => n?.[i] ?? 1
  for (let i = 0; i < y.length; i++) {
    if (!Number.isFinite(y[i]!)) continue
    let sum = y[i]! * size(i)
    let count = size(i)
    // Summed afresh at each place: differences of running sums would be lost after a huge value.
    for (const step of [-1, 1]) {
      let reach = half - (size(i) - 1) / 2
      for (let j = i + step; j >= 0 && j < y.length && reach > 0; j += step) {
        const part = Math.min(reach, size(j))
        reach -= size(j)
        if (!Number.isFinite(y[j]!)) continue
        sum += y[j]! * part
        count += part
      }
    }
    out[i] = sum / count
  }
  return out
}

/** The sums of an average after the last point of `line` below `x`, to go on from in a closer look at the same line. */
export function sumsBefore(line: Line, smoothing: Smoothing, span: number, x: number): Sums {
  let end = 0
  while (end < line.x.length && line.x[end]! < x) end++
  const part = { x: cut(line.x, end), y: cut(line.y, end), n: line.n && cut(line.n, end) }
  if (!end || isConstant(line.y)) return NOTHING
  const sums = { ...NOTHING }
  if (smoothing.kind === 'ema') accumulate(part, sums, byPoints(smoothing.weight))
  else if (smoothing.kind === 'time-ema') accumulate(part, sums, byDistance(smoothing.weight, span))
  return sums
}

/** Smooth as asked for. `span`: the extent of the whole line on x, also where only part of it is given. */
export function smooth(line: Line, smoothing: Smoothing, span: number, before: Sums = NOTHING): Float64Array {
  if (smoothing.kind === 'ema') return ema(line, smoothing.weight, before)
  if (smoothing.kind === 'time-ema') return timeEma(line, smoothing.weight, span, before)
  if (smoothing.kind === 'mean') return runningMean(line, smoothing.weight)
  return Float64Array.from(line.y)
}

/** Whether it changes anything. */
export const smooths = ({ kind, weight }: Smoothing): boolean => kind !== 'none' && weight > (kind === 'mean' ? 1 : 0)

/** By how much the past decays before an entry of n points at a distance from the last, and what the entry weighs. */
interface Rule {
  decay: (n: number, distance: number) => number
  mass: (n: number) => number
}

const byPoints = (weight: number): Rule => ({
  decay: (n) => (n === 1 ? weight : weight ** n),
  mass: (n) => (n === 1 ? 1 : weight === 1 ? n : (1 - weight ** n) / (1 - weight)),
})

const byDistance = (weight: number, span: number): Rule => {
  const unit = span > 0 ? span / 1000 : 1
  return { decay: (_, distance) => weight ** (Math.max(0, distance) / unit), mass: (n) => n }
}

function average(line: Line, before: Sums, rule: Rule): Float64Array {
  const out = Float64Array.from(line.y)
  if (before.weights === 0 && isConstant(line.y)) return out
  accumulate(line, { ...before }, rule, out)
  return out
}

function accumulate(line: Line, sums: Sums, { decay, mass }: Rule, out?: Float64Array): void {
  const { x, y, n } = line
  for (let i = 0; i < y.length; i++) {
    const value = y[i]!
    if (!Number.isFinite(value)) continue
    const size = n?.[i] ?? 1
    const kept = sums.weights === 0 ? 0 : decay(size, x[i]! - sums.x)
    const added = mass(size)
    sums.weighted = sums.weighted * kept + value * added
    sums.weights = sums.weights * kept + added
    sums.x = x[i]!
    if (out) out[i] = sums.weighted / sums.weights
  }
}

function isConstant(y: ArrayLike<number>): boolean {
  for (let i = 1; i < y.length; i++) if (y[i] !== y[0]) return false
  return true
}

const cut = (values: ArrayLike<number>, end: number): ArrayLike<number> => Array.prototype.slice.call(values, 0, end)
