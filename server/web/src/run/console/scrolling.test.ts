import { expect, test } from 'vitest'
import { LINE, MOST, topOf, windowAt } from './scrolling'

test('few lines scroll one to one', () => {
  expect(windowAt(1000, 180, 90)).toEqual({ height: 1000 * LINE, first: 5, count: 10 })
  expect(topOf(0, 1000, 180)).toBe(0)
  expect(topOf(999, 1000, 180)).toBe(990 * LINE)
})

test('millions of lines fit, and the first and last can be reached', () => {
  const [total, view] = [5_000_000, 720]
  const { height, first, count } = windowAt(total, view, 0)
  expect(height).toBe(MOST)
  expect(first).toBe(0)
  expect(windowAt(total, view, height - view).first + count).toBeCloseTo(total, 3)
})

test.each([10, 1000, 900_000, 5_000_000])('each of %i lines can be brought into view', (total) => {
  const view = 500
  for (const line of [0, Math.floor(total / 3), total - 1]) {
    // Browsers keep whole pixels.
    const { first, count } = windowAt(total, view, Math.round(topOf(line, total, view)))
    expect(line).toBeGreaterThanOrEqual(Math.floor(first))
    expect(line).toBeLessThan(first + count)
  }
})
