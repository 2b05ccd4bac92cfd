import { expect, test } from 'vitest'
import { axisOf, conditionOf, labelsOf, positionOf, rounded, valueAt, within } from './axes'

test('numbers are placed between their extremes, on a log axis over two decades', () => {
  const even = axisOf('config.layers', [1, 2, 5, null])
  expect([...even.at]).toEqual([0, 0.25, 1, NaN])
  const log = axisOf('config.lr', [1e-4, 1e-1, 1e-2])
  expect(log.log).toBe(true)
  expect(log.at[2]).toBeCloseTo(2 / 3)
  expect(valueAt(log, positionOf(log, 0.003))).toBeCloseTo(0.003)
})

test('texts are sorted', () => {
  const axis = axisOf('config.opt', ['sgd', 'adam', null, 'lion'])
  expect(axis.names).toEqual(['adam', 'lion', 'sgd'])
  expect([...axis.at]).toEqual([1, 0, NaN, 0.5])
})

test('an axis of equal values, and one without values', () => {
  expect([...axisOf('a', [3, 3]).at]).toEqual([0.5, 0.5])
  expect([...axisOf('a', [null, NaN]).at]).toEqual([NaN, NaN])
  expect(labelsOf(axisOf('a', [3, 3]), 200)).toEqual([{ at: 0.5, text: '3' }])
})

test('a selected range becomes a filter that selects the same runs', () => {
  const axes = [
    axisOf('config.layers', [0, 5, 10]),
    axisOf('config.opt', ['a "b"', 'c', 'd']),
    axisOf('summary.val loss', [1, 2, 3]),
  ]
  expect(conditionOf(axes, [[0.4, 0.6], null, null])).toBe('config.layers >= 4 and config.layers <= 6')
  expect(conditionOf(axes, [null, [0, 0.6], [0.5, 1]])).toBe(
    'config.opt in ["a \\"b\\"", "c"] and `summary.val loss` >= 2',
  )
  expect(conditionOf(axes, [null, null, null])).toBe('')
  expect([...within(axes, [[0.4, 1], null, [0.5, 0.9]], 3)]).toEqual([0, 1, 0])
})

test('limits are rounded so that no run is lost', () => {
  expect(rounded(0.123456, -1)).toBe(0.1234)
  expect(rounded(0.123456, 1)).toBe(0.1235)
  expect(rounded(-1234.56, -1)).toBe(-1235)
  expect(rounded(0, 1)).toBe(0)
})
