import { expect, test } from 'vitest'
import { codeDifferences } from './codeDifferences'

const file = (name: string, text: string) => ({ name, content: new TextEncoder().encode(text) })
const patch = (path: string, line: string, index: string) =>
  `diff --git a/${path} b/${path}\nindex ${index}\n--- a/${path}\n+++ b/${path}\n@@ -1 +1 @@\n-x\n+${line}\n`

test('a patch is compared file by file, without hashes', () => {
  const before = [
    file('diff.patch', patch('a.py', 'y', '1..2') + patch('b.py', 'y', '1..2') + patch('c.py', 'y', '1..2')),
  ]
  const after = [
    file('diff.patch', patch('a.py', 'y', '1..9') + patch('b.py', 'z', '1..3') + patch('d.py', 'y', '1..2')),
  ]
  expect(codeDifferences(before, after).map(({ name, before: a, after: b }) => [name, a?.at(-1), b?.at(-1)])).toEqual([
    ['diff.patch: b.py', '+y', '+z'],
    ['diff.patch: c.py', '+y', undefined],
    ['diff.patch: d.py', undefined, '+y'],
  ])
})

test('other files are compared by line; binary files only differ or not', () => {
  const before = [file('code/a.py', '1\n2\n'), file('untracked/x.bin', '\0a')]
  const after = [file('code/a.py', '1\n3\n'), file('untracked/x.bin', '\0b')]
  expect(codeDifferences(before, after)).toEqual([
    { name: 'code/a.py', before: ['1', '2'], after: ['1', '3'], binary: false },
    { name: 'untracked/x.bin', before: [], after: [], binary: true },
  ])
})
