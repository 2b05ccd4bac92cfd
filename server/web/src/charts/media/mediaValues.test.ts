import { expect, test } from 'vitest'
import { itemAt, mediaOf, stepsOf } from './mediaValues'

const image = { _type: 'image', digest: 'd', size: 1, format: 'png' }

test('lists are flattened, and other values are dropped', () => {
  expect(mediaOf({ _type: 'list', items: [image, 3, { _type: 'text', value: 't' }] })).toEqual([
    image,
    { _type: 'text', value: 't' },
  ])
  for (const value of [null, 1, 'x', {}, { _type: 'future' }, { _type: 'image' }, { _type: 'list' }])
    expect(mediaOf(value)).toEqual([])
})

test('a histogram is dropped if its edges do not match its counts', () => {
  const whole = { _type: 'histogram', bins: [0, 1, 2], counts: [3, 4] }
  expect(mediaOf(whole)).toEqual([whole])
  expect(mediaOf({ ...whole, counts: [3] })).toEqual([])
})

test('a step shows what was logged last', () => {
  const items = [1, 5, 5, 9].map((step, i) => ({ step, values: [{ _type: 'text' as const, value: String(i) }] }))
  expect(itemAt(items, 0)).toBeUndefined()
  expect(itemAt(items, 6)?.values).toEqual([{ _type: 'text', value: '2' }])
  expect(stepsOf([{ items }, { items: [{ step: 2, values: [] }] }])).toEqual([1, 2, 5, 9])
})
