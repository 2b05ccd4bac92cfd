import { expect, test } from 'vitest'
import { completed, typedMention } from './mention'

test('a mention begins with an @ that follows no letter', () => {
  expect(typedMention('hi @ad', 6)).toEqual({ from: 3, typed: 'ad' })
  expect(typedMention('@', 1)).toEqual({ from: 0, typed: '' })
  expect(typedMention('(@jürgen.k', 10)).toEqual({ from: 1, typed: 'jürgen.k' })
  expect(typedMention('ada@example', 11)).toBeNull()
  expect(typedMention('@ada and', 8)).toBeNull()
  expect(typedMention('@ada and', 2)).toEqual({ from: 0, typed: 'a' })
})

test('a name replaces what was typed', () => {
  expect(completed('hi @ad you', 6, 3, 'ada')).toEqual({ text: 'hi @ada you', caret: 7 })
  expect(completed('@', 1, 0, 'ada')).toEqual({ text: '@ada ', caret: 5 })
})
