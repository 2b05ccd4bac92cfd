/** The dashboard parses filters as in tests/vectors/filters.json, which the server's tests use too. */
import { expect, test } from 'vitest'
import vectors from '../../../../../tests/vectors/filters.json'
import { isFinished } from './completion'
import { conditions, isName, keyword, tokenize, writtenName } from './expression'

interface Vector {
  text: string
  /** Kind, value, and first and last character, counted in code points as the server does */
  tokens?: [string, string, number, number][]
  conditions?: string[]
  error?: { position: number; length: number }
}

const expressions = vectors.expressions as unknown as Vector[]

const pointsBefore = (text: string, at: number) => Array.from(text.slice(0, at)).length

const read = (text: string) =>
  tokenize(text).map(({ kind, value, from, to }) => [kind, value, pointsBefore(text, from), pointsBefore(text, to)])

test.each(expressions.filter((one) => one.tokens))('$text is split into these tokens', ({ text, tokens }) => {
  // Whether a number is a span of time only matters to the server.
  expect(read(text)).toEqual(tokens!.map(([kind, ...rest]) => [kind === 'span' ? 'number' : kind, ...rest]))
})

test.each(expressions.filter((one) => one.conditions))('$text has these conditions', (vector) => {
  expect(conditions(vector.text).map((one) => one.text)).toEqual(vector.conditions)
  expect(isFinished(vector.text)).toBe(true)
})

test.each(expressions.filter((one) => one.error && !one.tokens))(
  '$text is odd from where the server says',
  ({ text, error }) => {
    const odd = tokenize(text).find(({ from, to, kind }) => {
      const written = text.slice(from, to)
      const isOpen = /^["'`]/.test(written) && (written.length < 2 || written.at(-1) !== written[0])
      return kind === 'unknown' || isOpen
    })
    expect(odd && pointsBefore(text, odd.from)).toBe(error!.position)
  },
)

test.each(vectors.names as [string, string][])('the name %j is written as %j', (name, written) => {
  expect(writtenName(name)).toBe(written)
  const [token, ...rest] = tokenize(written)
  expect([rest, token?.value, isName(token), keyword(token)]).toEqual([[], name, true, null])
})
