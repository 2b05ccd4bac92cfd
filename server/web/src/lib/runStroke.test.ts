import { expect, test } from 'vitest'
import { palette } from './palette'
import { strokeFor } from './runStroke'

test('a palette color of one theme maps to the other theme', () => {
  const [light, dark] = [palette('light'), palette('dark')]
  expect(light.map((color) => strokeFor(3, color, 'dark').color)).toEqual(dark)
  expect(dark.map((color) => strokeFor(3, color.toUpperCase(), 'light').color)).toEqual(light)
})

test('a custom color stays; an invalid one is ignored', () => {
  expect(strokeFor(3, '#123456', 'dark')).toEqual({ color: '#123456', dash: [] })
  expect(strokeFor(3, 'url(x)', 'light')).toEqual(strokeFor(3, null, 'light'))
})
