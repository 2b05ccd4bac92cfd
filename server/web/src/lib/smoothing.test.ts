import { expect, test } from 'vitest'
import { ema, NOTHING, runningMean, smooth, smooths, sumsBefore, timeEma } from './smoothing'

/** TensorBoard's line chart by its published formula, step by step: a running value from zero, then the correction. */
function published(y: number[], weight: number): number[] {
  const constant = y.every((v) => v === y[0])
  let last = 0
  let seen = 0
  return y.map((v) => {
    if (constant || !Number.isFinite(v)) return v
    last = last * weight + (1 - weight) * v
    seen++
    return last / (weight === 1 ? 1 : 1 - weight ** seen)
  })
}

const noisy = (count: number) => Array.from({ length: count }, (_, i) => Math.sin(i / 7) + ((i * 7919) % 13) / 10)
const line = (y: number[], n?: number[]) => ({ x: y.map((_, i) => i), y, n })
const close = (got: ArrayLike<number>, wanted: number[]) => {
  expect(got.length).toBe(wanted.length)
  for (const [i, v] of wanted.entries()) Number.isFinite(v) ? expect(got[i]).toBeCloseTo(v, 10) : expect(got[i]).toBe(v)
}

test.each([0, 0.3, 0.6, 0.9, 0.99, 0.999])('the average of TensorBoard with weight %s', (weight) => {
  close(ema(line(noisy(500)), weight), published(noisy(500), weight))
})

test('matches values computed by hand: weight 0.5 over 1, 2, 4', () => {
  // 0.5 / 0.5, 1.25 / 0.75, 2.625 / 0.875
  close(ema(line([1, 2, 4]), 0.5), [1, 5 / 3, 3])
})

test('a constant line stays the same, bit by bit', () => {
  const y = Array.from({ length: 50 }, () => 0.1)
  expect([...ema(line(y), 0.9)]).toEqual(y)
  expect([...timeEma(line(y), 0.9, 49)]).toEqual(y)
  expect([...runningMean(line(y), 5)]).toEqual(y)
})

test('non-finite points are kept and do not count', () => {
  const y = [1, NaN, 2, Infinity, 3, -Infinity, 4]
  close(ema(line(y), 0.6), published(y, 0.6))
  const bare = ema(line([1, 2, 3, 4]), 0.6)
  expect(ema(line(y), 0.6)[6]).toBeCloseTo(bare[3]!, 12)
})

test('a bucket of n points counts as n equal points', () => {
  const whole = ema(line([5, 1, 1, 1, 1, 3, 3]), 0.7)
  const buckets = ema(line([5, 1, 3], [1, 4, 2]), 0.7)
  close(buckets, [whole[0]!, whole[4]!, whole[6]!])
})

test('a part of a line continues from the sums before it', () => {
  const y = noisy(300)
  const whole = ema(line(y), 0.97)
  const smoothing = { kind: 'ema', weight: 0.97 } as const
  const before = sumsBefore(line(y), smoothing, 299, 200)
  const part = smooth({ x: y.map((_, i) => i).slice(200), y: y.slice(200) }, smoothing, 299, before)
  close(part, [...whole.slice(200)])
})

test('with even steps of a thousandth, time and points weigh the same', () => {
  const y = noisy(1001)
  close(timeEma(line(y), 0.9, 1000), [...ema(line(y), 0.9)])
})

test('in the average over time, a dense stretch counts by its length', () => {
  const dense = { x: [0, 100, 100.001, 100.002, 500], y: [0, 10, 10, 10, 0] }
  const sparse = { x: [0, 100, 500], y: [0, 10, 0] }
  expect(timeEma(dense, 0.99, 1000)[4]).toBeLessThan(1)
  expect(timeEma(sparse, 0.99, 1000)[2]).toBeLessThan(1)
})

test('the running mean is centred and has no lag', () => {
  close(runningMean(line([1, 2, 3, 4, 5]), 3), [1.5, 2, 3, 4, 4.5])
})

test('the running mean recovers after a huge value', () => {
  expect(runningMean(line([1, 2, 1e30, 0.25, 0.5, 0.75, 0.5]), 3)[5]).toBeCloseTo(1.75 / 3, 12)
})

test('the running mean over buckets spans the requested points', () => {
  close(runningMean(line([0, 10, 20], [10, 10, 10]), 10), [0, 10, 20])
  close(runningMean(line([0, 10, 20], [10, 10, 10]), 30), [5, 10, 15])
})

test('smoothing without effect is recognized', () => {
  expect(smooths({ kind: 'none', weight: 0.9 })).toBe(false)
  expect(smooths({ kind: 'ema', weight: 0 })).toBe(false)
  expect(smooths({ kind: 'mean', weight: 1 })).toBe(false)
  expect(smooths({ kind: 'ema', weight: 0.1 })).toBe(true)
  expect(NOTHING.weights).toBe(0)
})
