import { expect, test } from 'vitest'
import { percent, relative, same, sideBySide } from './valueDifferences'

test('values are put side by side; missing ones are undefined', () => {
  const rows = sideBySide('Config', [
    new Map<string, unknown>([
      ['lr', 0.1],
      ['same', [1, 2]],
      ['only', 1],
    ]),
    new Map<string, unknown>([
      ['lr', 0.2],
      ['same', [1, 2]],
      ['more', null],
    ]),
  ])
  expect(rows.map(({ name, values, differs }) => [name, values, differs])).toEqual([
    ['lr', [0.1, 0.2], true],
    [
      'same',
      [
        [1, 2],
        [1, 2],
      ],
      false,
    ],
    ['only', [1, undefined], true],
    ['more', [undefined, null], true],
  ])
})

test('a text differs from a number, and NaN equals NaN', () => {
  expect(same('1', 1)).toBe(false)
  expect(same(NaN, NaN)).toBe(true)
  expect(same(null, undefined)).toBe(false)
})

test('differences are in percent of the absolute baseline', () => {
  expect(relative(1.1, 1)).toBeCloseTo(0.1)
  expect(relative(-1, -2)).toBe(0.5)
  expect([relative(1, 0), relative('1', 1), relative(NaN, 1), relative(1, undefined)]).toEqual([null, null, null, null])
  expect([0.1234, -0.01234, 5.5, 0, 1e9].map(percent)).toEqual(['+12.3 %', '−1.23 %', '+550 %', '+0 %', '+> 99,999 %'])
})
