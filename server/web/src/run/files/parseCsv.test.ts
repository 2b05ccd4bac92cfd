import { expect, test } from 'vitest'
import { parseCsv } from './parseCsv'

test('cells may contain quotes, separators and line breaks', () => {
  expect(parseCsv('a,b\r\n"x, ""y""\nz",2\n,\n', ',', 10)).toEqual([
    ['a', 'b'],
    ['x, "y"\nz', '2'],
    ['', ''],
  ])
})

test('the number of rows is limited, and empty lines are skipped', () => {
  expect(parseCsv('1\n\n2\n3', ',', 2)).toEqual([['1'], ['2']])
  expect(parseCsv('', ',', 2)).toEqual([])
  expect(parseCsv('a\tb', '\t', 2)).toEqual([['a', 'b']])
})
