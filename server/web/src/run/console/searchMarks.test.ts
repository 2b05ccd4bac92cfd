import { expect, test } from 'vitest'
import { cut, marksIn } from './searchMarks'

const shown = (parts: string[], pattern: RegExp) => {
  const marks = marksIn(parts.join(''), pattern)
  let at = 0
  return parts.map((part) => {
    const pieces = cut(part, at, marks)
    at += part.length
    return pieces.map(({ text, marked }) => (marked ? `[${text}]` : text)).join('')
  })
}

test('a match is marked in each part that it spans', () => {
  expect(shown(['an er', 'ro', 'r, an Error'], /error/gi)).toEqual(['an [er]', '[ro]', '[r], an [Error]'])
  expect(shown(['error', 'error'], /error/g)).toEqual(['[error]', '[error]'])
})

test('the anchors of a pattern match the ends of the line, not of its parts', () => {
  expect(shown(['done', ' and done'], /done$/g)).toEqual(['done', ' and [done]'])
  expect(shown(['done', ' done'], /^done/g)).toEqual(['[done]', ' done'])
})

test('an empty match marks nothing and hides no other', () => {
  expect(shown(['abba'], /b*/g)).toEqual(['a[bb]a'])
})
