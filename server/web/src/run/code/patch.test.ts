import { expect, test } from 'vitest'
import { parsePatch } from './patch'

const CHANGED = `diff --git a/model.py b/model.py
index 10e1d10..0979b67 100644
--- a/model.py
+++ b/model.py
@@ -1,4 +1,5 @@ class Model:
 import math
-def layer(x, w):
+def layer(x, w, bias):
+    "-- a/x"
     return x * w
--- not a header
\\ No newline at end of file
`

test('lines have their old and new numbers', () => {
  const [file] = parsePatch(CHANGED)
  expect(file).toMatchObject({ path: 'model.py', from: null, change: 'changed', added: 2, removed: 2, binary: false })
  expect(file!.hunks[0]!.header).toBe('@@ -1,4 +1,5 @@ class Model:')
  expect(file!.hunks[0]!.lines).toEqual([
    { kind: 'same', text: 'import math', before: 1, after: 1 },
    { kind: 'removed', text: 'def layer(x, w):', before: 2, after: null },
    { kind: 'added', text: 'def layer(x, w, bias):', before: null, after: 2 },
    { kind: 'added', text: '    "-- a/x"', before: null, after: 3 },
    { kind: 'same', text: '    return x * w', before: 3, after: 4 },
    { kind: 'removed', text: '-- not a header', before: 4, after: null },
    { kind: 'note', text: ' No newline at end of file', before: null, after: null },
  ])
})

test('new, deleted, renamed, binary and oddly named files', () => {
  const patch = [
    'diff --git a/new.txt b/new.txt\nnew file mode 100644\nindex 000..1\n--- /dev/null\n+++ b/new.txt\n@@ -0,0 +1 @@\n+x\n',
    'diff --git a/old.txt b/old.txt\ndeleted file mode 100644\n--- a/old.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n',
    'diff --git a/a b.py b/c d.py\nsimilarity index 100%\nrename from a b.py\nrename to c d.py\n',
    'diff --git a/img one.png b/img one.png\nindex 1..2 100644\nGIT binary patch\ndelta 3\nxyz\n',
    'diff --git "a/\\303\\244\\t.py" "b/\\303\\244\\t.py"\n--- "a/\\303\\244\\t.py"\n+++ "b/\\303\\244\\t.py"\n@@ -1 +1 @@\n-x\n+y\n',
    'diff --git a/run.sh b/run.sh\nold mode 100644\nnew mode 100755\n',
  ].join('')
  expect(parsePatch(patch).map(({ path, from, change, binary }) => [path, from, change, binary])).toEqual([
    ['new.txt', null, 'new', false],
    ['old.txt', null, 'deleted', false],
    ['c d.py', 'a b.py', 'renamed', false],
    ['img one.png', null, 'changed', true],
    ['ä\t.py', null, 'changed', false],
    ['run.sh', null, 'changed', false],
  ])
})

test('an empty patch has no files', () => {
  expect(parsePatch('')).toEqual([])
  expect(parsePatch('nonsense\n')).toEqual([])
})
