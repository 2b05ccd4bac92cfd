import { expect, test } from 'vitest'
import { duplicated, flat, inserted, moved, removed, stepped, type Block, type LeafBlock } from './blocks'

const text = (id: string): LeafBlock => ({ id, kind: 'markdown', text: id })
const columns = (id: string, left: string[], right: string[]): Block => ({
  id,
  kind: 'columns',
  left: left.map(text),
  right: right.map(text),
})

/** `a [b|c d] e` */
const drawn = (blocks: Block[]): string =>
  blocks
    .map((block) =>
      block.kind === 'columns'
        ? `[${[block.left, block.right].map((column) => column.map((one) => one.id).join(' ')).join('|')}]`
        : block.id,
    )
    .join(' ')

const blocks = [text('a'), columns('k', ['b'], ['c', 'd']), text('e')]

test('blocks are inserted at a spot, at the end without one', () => {
  expect(drawn(inserted(blocks, text('x'), null))).toBe('a [b|c d] e x')
  expect(drawn(inserted(blocks, text('x'), { beside: 'gone', side: 'before' }))).toBe('a [b|c d] e x')
  expect(drawn(inserted(blocks, text('x'), { beside: 'a', side: 'before' }))).toBe('x a [b|c d] e')
  expect(drawn(inserted(blocks, text('x'), { beside: 'd', side: 'before' }))).toBe('a [b|c x d] e')
  expect(drawn(inserted(blocks, text('x'), { beside: 'a', side: 'right' }))).toBe('[a|x] [b|c d] e')
  expect(drawn(inserted(blocks, text('x'), { beside: 'b', side: 'left' }))).toBe('a [b x|c d] e')
  expect(drawn(inserted(blocks, text('x'), { beside: 'k', side: 'right' }))).toBe('a [b|c d x] e')
})

test('columns are not put into columns', () => {
  expect(drawn(inserted(blocks, columns('m', ['y'], ['z']), { beside: 'c', side: 'before' }))).toBe('a [y|z] [b|c d] e')
  expect(drawn(inserted(blocks, columns('m', ['y'], ['z']), { beside: 'c', side: 'right' }))).toBe('a [b|c d] [y|z] e')
})

test('columns with nothing beside each other are dissolved', () => {
  expect(drawn(removed(blocks, 'b'))).toBe('a c d e')
  expect(drawn(removed(removed(blocks, 'c'), 'd'))).toBe('a b e')
  expect(drawn(removed(blocks, 'k'))).toBe('a e')
})

test('a dragged block lands where it was dropped', () => {
  expect(drawn(moved(blocks, 'e', { beside: 'b', side: 'after' }))).toBe('a [b e|c d]')
  expect(drawn(moved(blocks, 'b', { beside: 'a', side: 'before' }))).toBe('b a c d e')
  expect(drawn(moved(blocks, 'k', { beside: 'e', side: 'after' }))).toBe('a e [b|c d]')
  expect(moved(blocks, 'k', { beside: 'c', side: 'before' })).toBe(blocks)
  expect(moved(blocks, 'a', { beside: 'a', side: 'right' })).toBe(blocks)
})

test('the keyboard reaches every place', () => {
  expect(drawn(stepped(blocks, 'a', 'down'))).toBe('[b|c d] a e')
  expect(drawn(stepped(blocks, 'd', 'up'))).toBe('a [b|d c] e')
  expect(drawn(stepped(blocks, 'c', 'up'))).toBe('a c [b|d] e')
  expect(drawn(stepped(blocks, 'd', 'down'))).toBe('a [b|c] d e')
  expect(drawn(stepped(blocks, 'd', 'left'))).toBe('a [b d|c] e')
  expect(drawn(stepped(blocks, 'c', 'left'))).toBe('a [c b|d] e')
  expect(drawn(stepped([text('a'), text('b')], 'b', 'right'))).toBe('[a|b]')
  expect(drawn(stepped([text('a'), text('b')], 'b', 'left'))).toBe('[b|a]')
  expect(stepped(blocks, 'a', 'up')).toBe(blocks)
  expect(stepped(blocks, 'd', 'right')).toBe(blocks)
  expect(stepped([text('a')], 'a', 'left')).toEqual([text('a')])
})

test('copies have ids of their own', () => {
  const { blocks: made, copy } = duplicated(blocks, 'k')
  const ids = flat(made).map((block) => block.id)
  expect(new Set(ids).size).toBe(ids.length)
  expect(made[2]!.id).toBe(copy)
  expect(made[2]).toMatchObject({ kind: 'columns', left: [{ text: 'b' }], right: [{ text: 'c' }, { text: 'd' }] })
})
