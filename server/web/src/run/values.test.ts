import { expect, test } from 'vitest'
import { exact, flatten, mediaLabel } from './values'

test('nested values are named by their path; lists, media and empty objects are values', () => {
  const image = { _type: 'image', width: 3, height: 2 }
  expect(flatten({ a: 1, b: { c: [1, { d: 2 }], e: {}, f: { g: null } }, 'h.i': image })).toEqual([
    { path: 'a', value: 1 },
    { path: 'b.c', value: [1, { d: 2 }] },
    { path: 'b.e', value: {} },
    { path: 'b.f.g', value: null },
    { path: 'h.i', value: image },
  ])
  expect(mediaLabel(image)).toBe('image 3 × 2')
  expect(mediaLabel({ _type: 'file', name: 'oversized/config/words.json', size: 9277781 })).toBe(
    'file oversized/config/words.json (9.28 MB)',
  )
})

test('values are formatted in full precision', () => {
  const all = [0.1, NaN, -Infinity, 12345678901234567890n, 'a "b"', [1n, NaN, 'x'], null, true]
  expect(all.map(exact)).toEqual([
    ...['0.1', 'NaN', '−∞', '12345678901234567890', 'a "b"', '["1","NaN","x"]', 'null', 'true'],
  ])
})
