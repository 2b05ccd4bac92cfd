import { expect, test } from 'vitest'
import type { Block, Content } from './blocks'
import { merged } from './merge'

const content = (title: string, ...blocks: [string, string?][]): Content => ({
  title,
  blocks: blocks.map(([id, text = id]): Block => ({ id, kind: 'markdown', text })),
})
const texts = ({ blocks }: Content) => blocks.map((block) => (block.kind === 'markdown' ? block.text : block.kind))

const base = content('T', ['a'], ['b'], ['c'])

test('changes of different blocks are both taken', () => {
  const mine = content('T', ['a', 'mine'], ['b'], ['c'])
  const theirs = content('New title', ['a'], ['b', 'theirs'], ['c'])
  const { content: made, both } = merged(base, mine, theirs)
  expect(texts(made)).toEqual(['mine', 'theirs', 'c'])
  expect(made.title).toBe('New title')
  expect(both).toEqual([])
})

test('two changes of one block both stay, with ids of their own', () => {
  const { content: made, both } = merged(base, content('T', ['a', 'mine']), content('T', ['a', 'theirs'], ['b'], ['c']))
  expect(texts(made)).toEqual(['theirs', 'mine'])
  expect(new Set(made.blocks.map((block) => block.id)).size).toBe(2)
  expect(both).toEqual(['a'])
  const { both: none } = merged(base, content('T', ['a', 'x']), content('T', ['a', 'x'], ['b'], ['c']))
  expect(none).toEqual([])
})

test('new blocks stay where they were added, removed ones go, and a change wins over a removal', () => {
  const mine = content('T', ['a'], ['m'], ['b', 'changed'], ['c'])
  const theirs = content('T', ['x'], ['a'], ['y'])
  expect(texts(merged(base, mine, theirs).content)).toEqual(['x', 'a', 'y', 'm', 'changed'])
  const other = merged(base, content('T', ['a']), content('T', ['a'], ['b', 'changed'], ['c'])).content
  expect(texts(other)).toEqual(['a', 'changed'])
})

test('a block that one side moved into columns is not there twice', () => {
  const [a, b, c] = base.blocks as [Block, Block, Block]
  const theirs = { title: 'T', blocks: [a, { id: 'k', kind: 'columns', left: [b], right: [c] } as Block] }
  const { content: made } = merged(base, content('T', ['a', 'mine'], ['b'], ['c']), theirs)
  expect(made.blocks.map((block) => block.id)).toEqual(['a', 'k'])
  const { content: changed, both } = merged(base, content('T', ['a'], ['b', 'mine'], ['c']), theirs)
  expect(texts(changed)).toEqual(['a', 'columns', 'mine'])
  expect(both).toEqual(['b'])
})
