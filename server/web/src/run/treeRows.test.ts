import { expect, test } from 'vitest'
import { branchesOf, rowsOf } from './treeRows'

const VALUES = {
  lr: 0.1,
  opt: { name: 'adam', sched: { kind: 'cosine' } },
  layers: [{ n: 1 }, { n: 2 }],
  betas: [0.9, 0.99],
  none: {},
}
const NONE = new Set<string>()
const paths = (closed: Set<string>, search: string) => rowsOf(VALUES, closed, search).map((row) => row.path)

test('objects and lists of objects are branches', () => {
  expect(paths(NONE, '')).toEqual([
    ...[
      'lr',
      'opt',
      'opt.name',
      'opt.sched',
      'opt.sched.kind',
      'layers',
      'layers.0',
      'layers.0.n',
      'layers.1',
      'layers.1.n',
    ],
    ...['betas', 'none'],
  ])
  expect(branchesOf(VALUES)).toEqual(['opt', 'opt\0sched', 'layers', 'layers\u00000', 'layers\u00001'])
})

test('a closed branch hides its rows', () => {
  expect(paths(new Set(['opt', 'layers']), '')).toEqual(['lr', 'opt', 'layers', 'betas', 'none'])
})

test('a search finds paths and values, also in closed branches, and leaves out empty ones', () => {
  expect(paths(new Set(['opt']), 'COSINE')).toEqual(['opt', 'opt.sched', 'opt.sched.kind'])
  expect(paths(NONE, 'layers.1')).toEqual(['layers', 'layers.1', 'layers.1.n'])
  expect(paths(NONE, '0.99')).toEqual(['betas'])
  expect(paths(NONE, 'nothing of it')).toEqual([])
})

test('a key with dots and a path with the same text open separately', () => {
  const values = { 'a.b': { x: 1 }, a: { b: { x: 2 } } }
  const rows = rowsOf(values, new Set(['a.b']), '')
  expect(rows.map((row) => row.path)).toEqual(['a.b', 'a', 'a.b', 'a.b.x'])
  expect(new Set(rows.map((row) => row.id)).size).toBe(4)
})
