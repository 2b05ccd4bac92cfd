import { expect, test } from 'vitest'
import { apart } from './trace'

test.each([
  [0, 1, true],
  [0, 1e-30, true],
  [1, 1 + 1e-9, true],
  [2, 2, false],
  [0, 0, false],
  [2, 2.0000000000000004, false],
  [25.3e9, 25.3e9 + 4e-6, false],
  [-25.3e9 - 4e-6, -25.3e9, false],
])('between %d and %d there is room for an axis: %s', (low, high, expected) => {
  expect(apart(low, high)).toBe(expected)
})
