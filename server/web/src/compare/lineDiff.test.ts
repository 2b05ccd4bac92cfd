import { expect, test } from 'vitest'
import { diffLines, hunksOf } from './lineDiff'

const signs = { same: ' ', added: '+', removed: '-', note: '' }
const shown = (before: string, after: string) =>
  diffLines([...before], [...after])
    .map(({ kind, text }) => signs[kind] + text)
    .join('')

test('a diff has as few changes as possible', () => {
  expect(shown('abcd', 'abcd')).toBe(' a b c d')
  expect(shown('abcd', 'abxd')).toBe(' a b-c+x d')
  expect(shown('', 'ab')).toBe('+a+b')
  expect(shown('ab', '')).toBe('-a-b')
  expect(shown('abcabba', 'cbabac').replace(/ ./g, '').length / 2).toBe(5)
})

test('applying a diff turns the first text into the second', () => {
  let seed = 1
  const random = (n: number) => {
    seed = (seed * 48271) % 2147483647
    return seed % n
  }
  for (let round = 0; round < 300; round++) {
    const list = () => Array.from({ length: random(30) }, () => String(random(4)))
    const [before, after] = [list(), list()]
    const lines = diffLines(before, after)
    expect(lines.filter((one) => one.kind !== 'added').map((one) => one.text)).toEqual(before)
    expect(lines.filter((one) => one.kind !== 'removed').map((one) => one.text)).toEqual(after)
    expect(lines.filter((one) => one.before).map((one) => one.before)).toEqual(before.map((_, i) => i + 1))
    expect(lines.filter((one) => one.after).map((one) => one.after)).toEqual(after.map((_, i) => i + 1))
  }
})

test('texts without a common line are replaced', () => {
  const many = (name: string) => Array.from({ length: 3000 }, (_, i) => `${name}${i}`)
  const lines = diffLines(many('a'), many('b'))
  expect(lines.filter((one) => one.kind === 'same')).toEqual([])
  expect(lines).toHaveLength(6000)
})

test('hunks have three lines of context, and close ones are merged', () => {
  const before = Array.from({ length: 40 }, (_, i) => `line ${i + 1}`)
  const after = before.map((line, i) => (i === 4 || i === 9 || i === 30 ? `${line}!` : line))
  const hunks = hunksOf(diffLines(before, after))
  expect(hunks.map((hunk) => hunk.header)).toEqual(['@@ -2,12 +2,12 @@', '@@ -28,7 +28,7 @@'])
  expect(hunks[0]!.lines).toHaveLength(14)
  expect(hunksOf(diffLines(before, before))).toEqual([])
})
