import { expect, test } from 'vitest'
import { columnsOf, edgesOf, extentsOf } from './histogramColumns'
import type { Item } from './mediaValues'

const item = (step: number, bins: number[], counts: number[]): Item => ({
  step,
  values: [{ _type: 'histogram', bins, counts }],
})

test('density takes the width of bins into account', () => {
  const [column] = columnsOf([item(0, [0, 1, 3], [2, 2])])
  expect(column!.density).toEqual([0.5, 0.25])
})

test('empty bins at the ends do not stretch the axis', () => {
  const columns = columnsOf([item(0, [0, 1, 2, 3], [0, 5, 0]), item(1, [0, 1], [0])])
  expect(extentsOf([columns])).toEqual({ low: 1, high: 2, most: 1 })
  expect(extentsOf([])).toMatchObject({ low: 0, high: 1 })
})

test('columns touch, whatever the distance of steps', () => {
  const columns = columnsOf([0, 1, 10].map((step) => item(step, [0, 1], [1])))
  const edges = edgesOf(columns)
  expect(edges[0]![0]).toBe(0)
  expect(edges[2]![1]).toBe(1)
  expect(edges[0]![1]).toBe(edges[1]![0])
  expect(edgesOf(columns.slice(0, 1))).toEqual([[0, 1]])
})
