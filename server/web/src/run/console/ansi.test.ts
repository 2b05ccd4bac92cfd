import { expect, test } from 'vitest'
import { parse, plain } from './ansi'

const texts = (line: string) => parse(line).map((span) => span.text)

test('a line without sequences is one plain part', () => {
  expect(parse('a <b>\tc')).toMatchObject([{ text: 'a <b>\tc', fg: null, bg: null, bold: false }])
  expect(parse('')).toEqual([])
})

test('named colors, bright colors and resets', () => {
  const spans = parse('\x1b[31mred\x1b[39m none \x1b[1;92;44mbold\x1b[0m end')
  expect(spans.map(({ text, fg, bg, bold }) => [text, fg, bg, bold])).toEqual([
    ['red', 1, null, false],
    [' none ', null, null, false],
    ['bold', 10, 4, true],
    [' end', null, null, false],
  ])
})

test('256 colors and true colors, with semicolons and with colons', () => {
  const colours = (line: string) => parse(line).map(({ fg, bg }) => [fg, bg])
  expect(colours('\x1b[38;5;208mx')).toEqual([['rgb(255, 135, 0)', null]])
  expect(colours('\x1b[38;5;9mx')).toEqual([[9, null]])
  expect(colours('\x1b[48;5;232mx')).toEqual([[null, 'rgb(8, 8, 8)']])
  expect(colours('\x1b[38;2;1;2;3;1mx')).toEqual([['rgb(1, 2, 3)', null]])
  expect(colours('\x1b[38:2::1:2:3mx')).toEqual([['rgb(1, 2, 3)', null]])
  expect(colours('\x1b[38;2;999;0;0mx')).toEqual([['rgb(255, 0, 0)', null]])
})

test('adjacent parts of one style are merged', () => {
  expect(texts('a\x1b[mb\x1b[0mc')).toEqual(['abc'])
})

test('links, titles, cursor moves and other control characters are not shown', () => {
  expect(plain('\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\ \x1b]0;title\x07a\x1b[2Kb\x1b[10;5Hc\x1b(Bd\x08\x00e')).toBe(
    'link abcde',
  )
  expect(plain('cut off \x1b[3')).toBe('cut off 3')
  expect(plain('\x1b]8;;http://never-ended')).toBe('')
})

test('inverse, underline and other styles', () => {
  expect(parse('\x1b[4;7;9;3;2mx')).toMatchObject([
    { underline: true, inverse: true, strike: true, italic: true, dim: true },
  ])
  expect(parse('\x1b[1;2mx\x1b[22my').map(({ bold, dim }) => [bold, dim])).toEqual([
    [true, true],
    [false, false],
  ])
})

test('markup stays text', () => {
  expect(texts('\x1b[31m<img src=x onerror=alert(1)>')).toEqual(['<img src=x onerror=alert(1)>'])
})
