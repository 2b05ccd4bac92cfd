import { expect, test } from 'vitest'
import { durationLabel, logLabels, tickLabels } from './ticks'

test.each([
  [[0, 2.5, 5, 7.5, 10], 2.5, ['0', '2.5', '5.0', '7.5', '10.0']],
  [[0, 0.025, 0.05], 0.025, ['0', '0.025', '0.050']],
  [[0, 500, 1000, 1500], 500, ['0', '0.5k', '1.0k', '1.5k']],
  [[1000, 1001, 1002], 1, ['1.000k', '1.001k', '1.002k']],
  [[62.4446e9, 62.4448e9], 2e5, ['62.4446G', '62.4448G']],
  [[-2, -1, 0], 1, ['−2', '−1', '0']],
  [[0, 2e6, 4e6], 2e6, ['0', '2M', '4M']],
  [[0, 1e-7, 2e-7], 1e-7, ['0', '1e−7', '2e−7']],
] as const)('labels of %s', (ticks, step, labels) => {
  expect(tickLabels([...ticks], step)).toEqual(labels)
})

test('a log axis labels its decades, or all ticks if it spans less than one', () => {
  expect(logLabels([0.1, 0.2, 0.5, 1, 2, 10])).toEqual(['0.1', null, null, '1', null, '10'])
  expect(logLabels([2, 3, 4])).toEqual(['2', '3', '4'])
  expect(logLabels([1e-5, 1e-4, 1e6])).toEqual(['1e−5', '1e−4', '1e6'])
})

test('durations have the unit of the step', () => {
  expect([0, 30, 60].map((t) => durationLabel(t, 30))).toEqual(['0', '30 s', '60 s'])
  expect([120, 150].map((t) => durationLabel(t, 30))).toEqual(['2:00 min', '2:30 min'])
  expect(durationLabel(3600, 600)).toBe('60 min')
  expect(durationLabel(7200, 3600)).toBe('2 h')
  expect(durationLabel(172800, 86400)).toBe('2 d')
})
