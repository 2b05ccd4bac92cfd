import { expect, test } from 'vitest'
import type { Pareto } from '../panelSpec'
import { paretoFront } from './pareto'

const points = [
  [1, 5],
  [2, 3],
  [2, 4],
  [3, 3],
  [4, 1],
  [5, 0],
  [5, 2],
  [NaN, 0],
  [0, Infinity],
].map(([x, y]) => ({ x: x!, y: y! }))

test.each<[Pareto, number[]]>([
  ['min-min', [0, 1, 4, 5]],
  ['max-max', [0, 2, 3, 6]],
  ['min-max', [0]],
  ['max-min', [5]],
])('%s', (goal, front) => {
  expect(paretoFront(points, goal)).toEqual(front)
})

test('no point of the front is beaten, and every other point is', () => {
  const many = Array.from({ length: 300 }, (_, i) => ({ x: (i * 7919) % 101, y: (i * 104729) % 97 }))
  const front = new Set(paretoFront(many, 'min-min'))
  many.forEach((one, i) => {
    const beaten = many.some((other) => other.x <= one.x && other.y <= one.y && (other.x < one.x || other.y < one.y))
    expect(front.has(i)).toBe(!beaten)
  })
})

test('equal points are on the front together', () => {
  expect(
    paretoFront(
      [
        { x: 1, y: 1 },
        { x: 1, y: 1 },
        { x: 2, y: 2 },
      ],
      'min-min',
    ),
  ).toEqual([0, 1])
})
