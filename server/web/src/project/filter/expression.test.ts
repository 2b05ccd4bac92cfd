import { expect, test } from 'vitest'
import type { ColumnInfo } from '../../api/table'
import { complete, isFinished } from './completion'
import { conditions, joined, narrowed, replaced, tokenize, without, writtenName, writtenValue } from './expression'

const values = (text: string) => tokenize(text).map(({ kind, value }) => [kind, value])

test('an expression is split into tokens', () => {
  expect(values('config.lr<=1e-3 and `a b`!="x \\"y\\"" or summary.train/loss@step=10 > -2h')).toEqual([
    ...[
      ['name', 'config.lr'],
      ['sign', '<='],
      ['number', '1e-3'],
      ['name', 'and'],
      ['quoted', 'a b'],
      ['sign', '!='],
    ],
    ...[
      ['text', 'x "y"'],
      ['name', 'or'],
      ['name', 'summary.train/loss@step=10'],
      ['sign', '>'],
      ['number', '-2h'],
    ],
  ])
})

test('unfinished and odd text is split without losing a character', () => {
  for (const text of ['config.lr < ', 'name == "un', '`x', 'a # b', '1.5.x', '(', 'ä.ö == 1', '\ud800 x']) {
    for (const token of tokenize(text)) expect(text.slice(token.from, token.to).length).toBeGreaterThan(0)
  }
  expect(values('name == "un')).toEqual([
    ['name', 'name'],
    ['sign', '=='],
    ['text', 'un'],
  ])
})

test('conditions joined by `and` are split and joined again', () => {
  const text =
    'config.lr = 1e-3 and state in ["a", "b"] and (x > 1 or y > 2) and not tags has "q" and notes is not null'
  const found = conditions(text)
  expect(found.map((one) => one.simple)).toEqual([
    { name: 'config.lr', operator: '==', value: '1e-3' },
    { name: 'state', operator: 'in', value: '["a", "b"]' },
    null,
    null,
    { name: 'notes', operator: 'is not null', value: '' },
  ])
  expect(joined(found.map((one) => one.text))).toBe(text)
  expect(without(text, 2)).toBe('config.lr = 1e-3 and state in ["a", "b"] and not tags has "q" and notes is not null')
  expect(replaced('a > 1 and b > 2', 1, 'c < 3')).toBe('a > 1 and c < 3')
})

test('an `or` stays one condition, in parentheses next to another one', () => {
  expect(conditions('a > 1 or b > 2 and c > 3')).toEqual([{ text: 'a > 1 or b > 2 and c > 3', simple: null }])
  expect(narrowed('a > 1 or b > 2', 'c > 3')).toBe('(a > 1 or b > 2) and c > 3')
  expect(narrowed('a > 1', 'a > 1 and b > 2')).toBe('a > 1 and b > 2')
  expect(narrowed('', 'a > 1 or b > 2')).toBe('a > 1 or b > 2')
  expect(conditions('name == "a or b and c"')).toHaveLength(1)
})

test('names and values are quoted only if needed', () => {
  expect(['config.lr', 'summary.train/loss', 'summary.my key', 'and', '1x'].map(writtenName)).toEqual([
    'config.lr',
    'summary.train/loss',
    '`summary.my key`',
    '`and`',
    '`1x`',
  ])
  for (const value of ['plain', 'a "b" \\ c', "it's"])
    expect(tokenize(writtenValue(value))).toMatchObject([{ kind: 'text', value }])
  expect([1e-7, true, null].map(writtenValue)).toEqual(['1e-7', 'true', 'null'])
})

const column = (name: string, type: ColumnInfo['type'], more: Partial<ColumnInfo> = {}): ColumnInfo => {
  const kind = name.startsWith('config.') ? 'config' : name.startsWith('summary.') ? 'summary' : 'run'
  return { name, kind, type, count: 1, distinct: 2, differs: true, ...more }
}
const columns = [
  column('state', 'text', { values: ['finished', 'running'] }),
  column('config.lr', 'number', { min: 0.001, max: 0.1 }),
  column('summary.train/loss', 'number'),
  column('summary.my key', 'number'),
  column('created', 'time'),
]
const offered = (text: string) => complete(text, text.length, columns).options.map((one) => one.text)

test.each([
  ['', ['state', 'config.lr', 'summary.train/loss', '`summary.my key`', 'created', 'not']],
  ['l', ['config.lr', 'summary.train/loss']],
  ['state ', ['==', '!=', 'has', 'in', 'not in', '~', 'is null', 'is not null']],
  ['state == ', ['"finished"', '"running"']],
  ['state == "r', ['"running"']],
  ['state in ["finished", ', ['"finished"', '"running"']],
  ['state == "running" ', ['and', 'or']],
  ['state is null a', ['and']],
  ['config.lr < 1 and st', ['state']],
  ['config.lr > ', ['0.001', '0.1']],
  ['created > ', ['-1h', '-1d', '-7d', '-4w']],
  ['summary.train/loss@m', ['summary.train/loss@min', 'summary.train/loss@max', 'summary.train/loss@mean']],
])('after %j come %j', (text, options) => {
  const found = offered(text)
  expect(found.slice(0, options.length)).toEqual(options)
})

test('a completion replaces the word at the caret', () => {
  const { from, to } = complete('state == "fin" and x', 12, columns)
  expect([from, to]).toEqual([9, 14])
})

test('an unfinished filter is recognized', () => {
  const text = 'not (config.lr <= 0.1 or state in ["a", "b"]) and notes is not null'
  const finished = [...text, ''].map((_, i) => text.slice(0, i + 1)).filter((part) => isFinished(part))
  expect(finished).toContain(text)
  expect(finished.filter((part) => !part.includes(')'))).toEqual([])
  for (const part of ['a', 'a <', 'a == "x', 'a in [1, 2', 'a > 1 and', 'a > 1 or not', 'a is', 'a is not'])
    expect(isFinished(part)).toBe(false)
  for (const part of ['', 'a > 1', 'a == "x"', 'a in [1]', 'a is null', 'lr < 1e-3 '])
    expect(isFinished(part)).toBe(true)
})
