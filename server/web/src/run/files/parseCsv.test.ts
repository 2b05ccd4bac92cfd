import { expect, test } from 'vitest'
import { parseCsv } from './parseCsv'

test('quotes, separators and line breaks in cells', () => {
  expect(parseCsv('a,b\r\n"x, ""y""\nz",2\n,\n', ',', 10)).toEqual([
    ['a', 'b'],
    ['x, "y"\nz', '2'],
    ['', ''],
  ])
})

test('no more rows than asked for, and empty lines are none', () => {
  expect(parseCsv('1\n\n2\n3', ',', 2)).toEqual([['1'], ['2']])
  expect(parseCsv('', ',', 2)).toEqual([])
  expect(parseCsv('a\tb', '\t', 2)).toEqual([['a', 'b']])
})
