/**
 * Smoothing of one line. A bucket of `n` points counts as n equal points, so that the curve is the same at every
 * resolution. Non-finite values are kept and skipped, and a constant line stays unchanged.
 */
import type { Smoothing } from '../charts/panelSpec'

export interface Line {
  x: ArrayLike<number>
  y: ArrayLike<number>
  /** Points in each entry; by default one */
  n?: ArrayLike<number> | null
}

/** Decayed sums over the points before some x, from which an average continues. */
export interface Sums {
  weighted: number
  weights: number
  /** x of the last point in them */
  x: number
}

export const NOTHING: Sums = { weighted: 0, weights: 0, x: NaN }

/**
 * The exponential moving average that TensorBoard draws: v̄ᵢ = w·v̄ᵢ₋₁ + (1−w)·vᵢ from v̄ = 0, divided by 1 − wⁱ, which
 * removes the bias of the initial zero. Both are kept as sums of decaying weights, which have the same quotient and can
 * continue from the sums of the points before the line (`before`).
 */
export function ema(line: Line, weight: number, before: Sums = NOTHING): Float64Array {
  return average(line, before, byPoints(weight))
}

/**
 * An exponential moving average that decays with the distance on x, not with the number of points: by `weight` for each
 * thousandth of `span`. Dense stretches of a line count no more than sparse ones.
 */
export function timeEma(line: Line, weight: number, span: number, before: Sums = NOTHING): Float64Array {
  return average(line, before, byDistance(weight, span))
}

/** The mean of the finite values among the `window` points around each point. */
export function runningMean({ y, n }: Line, window: number): Float64Array {
  const out = Float64Array.from(y)
  const half = (Math.max(1, window) - 1) / 2
  if (half <= 0 || isConstant(y)) return out
  const size = (i: number) => n?.[i] ?? 1
  for (let i = 0; i < y.length; i++) {
    if (!Number.isFinite(y[i]!)) continue
    let sum = y[i]! * size(i)
    let count = size(i)
    // Sum each window anew: a running sum would lose all precision after a huge value.
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

/** Return the sums of an average over the points of `line` before `x`, for smoothing the part from `x` on. */
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

/** Smooth a line. `span`: the extent of the whole line on x, also if `line` is only a part of it. */
export function smooth(line: Line, smoothing: Smoothing, span: number, before: Sums = NOTHING): Float64Array {
  if (smoothing.kind === 'ema') return ema(line, smoothing.weight, before)
  if (smoothing.kind === 'time-ema') return timeEma(line, smoothing.weight, span, before)
  if (smoothing.kind === 'mean') return runningMean(line, smoothing.weight)
  return Float64Array.from(line.y)
}

/** Whether the smoothing changes anything. */
export const smooths = ({ kind, weight }: Smoothing): boolean => kind !== 'none' && weight > (kind === 'mean' ? 1 : 0)

/** Return by how much the past decays before an entry of n points, and the weight of that entry. */
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
