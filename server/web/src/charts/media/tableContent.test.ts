import { expect, test } from 'vitest'
import { arranged, tableOf } from './tableContent'

const table = {
  columns: ['a', 'b'],
  data: [
    [10, 'x'],
    [9, 'Yes'],
    [null, 'z'],
    [{ _type: 'image', digest: 'd', caption: 'cat' }, 'w'],
  ],
}

test('content other than a table has no columns', () => {
  for (const content of [null, 3, {}, { columns: 1, data: [] }])
    expect(tableOf(content)).toEqual({ columns: [], data: [] })
})

test('numbers are sorted by value, and empty cells come last in both directions', () => {
  const numbers = { columns: ['a'], data: [[10], [9], [null], [100]] }
  expect(arranged(numbers, '', { column: 'a', descending: false })).toEqual([[9], [10], [100], [null]])
  expect(arranged(numbers, '', { column: 'a', descending: true })).toEqual([[100], [10], [9], [null]])
})

test('the search covers all cells and captions', () => {
  expect(arranged(table, 'yes', null)).toEqual([[9, 'Yes']])
  expect(arranged(table, 'CAT', null)).toHaveLength(1)
})
