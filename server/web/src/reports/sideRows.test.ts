import { expect, test } from 'vitest'
import { diffLines } from '../compare/lineDiff'
import type { Content } from './blocks'
import { linesOf } from './reportText'
import { sideRows } from './sideRows'

const rows = (before: string, after: string) =>
  sideRows(diffLines(before.split(''), after.split(''))).map(
    (row) => `${row.before?.text ?? '·'}${row.after?.text ?? '·'}`,
  )

test('removed lines stand beside the added ones in their place', () => {
  expect(rows('abc', 'axyc')).toEqual(['aa', 'bx', '·y', 'cc'])
  expect(rows('abc', 'c')).toEqual(['a·', 'b·', 'cc'])
  expect(rows('', 'a')).toEqual(['·a'].map((row) => row))
})

test('a report has a line for each line of text and for each setting of its charts', () => {
  const content: Content = {
    title: 'T',
    blocks: [
      { id: 'a', kind: 'markdown', text: 'one\ntwo' },
      {
        id: 'k',
        kind: 'columns',
        left: [{ id: 'm', kind: 'media', run: 'r1', key: 'image', step: null, caption: '' }],
        right: [
          {
            id: 'p',
            kind: 'panel',
            panel: { id: 'x', section: 's', kind: 'line', keys: ['loss'] },
            ...{ runs: [], filter: 'state = "finished"', limit: 5, view: { logY: true } },
          },
        ],
      },
    ],
  }
  expect(linesOf(content)).toEqual([
    ...['# T', '', 'one', 'two', ''],
    ...['[Side by side: 1]', '[Media: image]', '  run: r1', '  key: image'],
    ...['[Side by side: 2]', '[Chart: loss]', '  filter: state = "finished"', '  limit: 5', '  kind: line'],
    ...['  keys: ["loss"]', '  logY: true'],
  ])
})
