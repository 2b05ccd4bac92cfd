import { expect, test } from 'vitest'
import { treeOf } from './tree'

test('folders contain their files, in natural order', () => {
  const tree = treeOf(
    ['out/epoch10.pt', 'out/epoch9.pt', 'out/a/x', 'readme.md'].map((name, i) => ({ name, size: 2 ** i })),
  )
  expect([tree.count, tree.size]).toEqual([4, 15])
  expect(tree.files.map((one) => one.name)).toEqual(['readme.md'])
  const [out] = tree.folders
  expect(out).toMatchObject({ path: 'out', name: 'out', count: 3, size: 7 })
  expect(out!.files.map((one) => one.name)).toEqual(['epoch9.pt', 'epoch10.pt'])
  expect(out!.folders.map((one) => one.path)).toEqual(['out/a'])
})

test('a file may have the name of a folder, and odd parts are names', () => {
  const tree = treeOf([
    { name: 'a', size: 1 },
    { name: 'a/b', size: 1 },
    { name: '/c', size: 1 },
    { name: '__proto__/d', size: 1 },
  ])
  expect(tree.files.map((one) => one.name)).toEqual(['a'])
  expect(tree.folders.map((one) => one.name).sort()).toEqual(['', '__proto__', 'a'])
})
