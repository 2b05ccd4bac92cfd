import { expect, test } from 'vitest'
import { palette } from './palette'
import { strokeFor } from './runStroke'

test('a colour chosen in one theme has its counterpart in the other', () => {
  const [light, dark] = [palette('light'), palette('dark')]
  expect(light.map((color) => strokeFor(3, color, 'dark').color)).toEqual(dark)
  expect(dark.map((color) => strokeFor(3, color.toUpperCase(), 'light').color)).toEqual(light)
})

test('a colour of their own stays as it is; what is no colour is as none', () => {
  expect(strokeFor(3, '#123456', 'dark')).toEqual({ color: '#123456', dash: [] })
  expect(strokeFor(3, 'url(x)', 'light')).toEqual(strokeFor(3, null, 'light'))
})
