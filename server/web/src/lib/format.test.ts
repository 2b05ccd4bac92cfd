import { expect, it } from 'vitest'
import { ago, moment } from './format'

const NOW = 1_700_000_000

it('says how long ago a time was', () => {
  expect(ago(NOW, NOW)).toBe('just now')
  expect(ago(NOW - 300, NOW)).toBe('5 min ago')
  expect(ago(NOW - 30 * 86400, NOW)).toBe('2023-10-15')
})

it('shows no date where there is no time', () => {
  expect(ago(0)).toBe('–')
  expect(moment(0)).toBe('–')
})
