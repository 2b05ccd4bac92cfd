import { expect, test } from 'vitest'
import { cell, csvOf } from './csvExport'

test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '  =cmd|x', '|x', '%x'])(
  '%j is no formula in a spreadsheet',
  (text) => {
    expect(cell(text).replace(/^"/, '')).toMatch(/^'/)
  },
)

test('numbers stay numbers, and text keeps commas, quotes and line breaks', () => {
  expect([-1.5, 1e-7, true, null, undefined, 'plain', 12n].map(cell)).toEqual([
    '-1.5',
    '1e-7',
    'true',
    '',
    '',
    'plain',
    '12',
  ])
  expect(
    csvOf(
      ['id', '=name'],
      [
        ['a', 'x, "y"\nz'],
        ['b', ['=t', 'u']],
      ],
    ),
  ).toBe('id,\'=name\r\na,"x, ""y""\nz"\r\nb,"\'=t, u"\r\n')
})
