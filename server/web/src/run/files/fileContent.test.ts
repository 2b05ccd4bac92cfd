import { expect, test } from 'vitest'
import { kindOf, textOf, typeOf } from './fileContent'

test('the extension gives kind and media type', () => {
  expect(['a.PNG', 'x/b.ipynb', 'c.tar.gz', 'README', '.py', 'd.diff'].map(kindOf)).toEqual([
    ...['image', 'notebook', 'unknown', 'unknown', 'text', 'patch'],
  ])
  expect(['a.jpg', 'a.svg', 'a.webm', 'a.wav'].map(typeOf)).toEqual([
    ...['image/jpeg', 'image/svg+xml', 'video/webm', 'audio/wav'],
  ])
})

test('text is distinguished from binary, also if it is cut', () => {
  const bytes = new TextEncoder().encode('aä')
  expect(textOf(bytes, false)).toBe('aä')
  expect(textOf(bytes.subarray(0, 2), true)).toBe('a')
  expect(textOf(bytes.subarray(0, 2), false)).toBeNull()
  expect(textOf(new Uint8Array([65, 0, 66]), false)).toBeNull()
})
