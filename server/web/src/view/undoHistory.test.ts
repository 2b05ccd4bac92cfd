import { expect, test } from 'vitest'
import { begin, change, redo, undo } from './undoHistory'

test('undo and redo walk through the states, and a new change clears redo', () => {
  let history = change(change(begin('a'), 'b', 'x', 0), 'c', 'y', 1)
  history = undo(history)
  expect(history.now).toBe('b')
  history = undo(undo(history))
  expect(history.now).toBe('a')
  history = redo(history)
  expect(history.now).toBe('b')
  history = change(history, 'd', 'z', 2)
  expect(redo(history).now).toBe('d')
  expect(undo(history).now).toBe('b')
})

test('quick changes of one kind are one step; slow ones and those after an undo are not', () => {
  let history = begin(0)
  for (let i = 1; i <= 50; i++) history = change(history, i, 'split', 100 * i)
  expect(undo(history).now).toBe(0)
  const slow = change(change(begin(0), 1, 'split', 0), 2, 'split', 5000)
  expect(undo(slow).now).toBe(1)
  const single = change(change(begin(0), 1, null, 0), 2, null, 10)
  expect(undo(single).now).toBe(1)
  const after = change(undo(change(begin(0), 1, 'split', 0)), 2, 'split', 10)
  expect(undo(after).now).toBe(0)
})
