import { expect, test } from 'vitest'
import { dashed, palette, slotOf, strokeOf, type Scheme } from './palette'

const PANELS: Record<Scheme, string> = { light: '#ffffff', dark: '#1d2026' }

type Vector = [number, number, number]
const linear = (color: string): Vector =>
  [1, 3, 5].map((at) => {
    const part = parseInt(color.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  }) as Vector
const luminance = ([r, g, b]: Vector) => 0.2126 * r + 0.7152 * g + 0.0722 * b
const contrast = (a: string, b: string) => {
  const [low, high] = [luminance(linear(a)), luminance(linear(b))].sort((p, q) => p - q) as [number, number]
  return (high + 0.05) / (low + 0.05)
}

/** What is seen of linear RGB without the green or the red cones (Machado, Oliveira and Fernandes 2009). */
const SIGHTS: Record<string, Vector[]> = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
}
function lab(color: string, sight: Vector[]): Vector {
  const from = linear(color)
  const [r, g, b] = sight.map((row) =>
    Math.min(
      1,
      Math.max(
        0,
        row.reduce((sum, part, i) => sum + part * from[i]!, 0),
      ),
    ),
  ) as Vector
  const f = (t: number) => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116)
  const [x, y, z] = [
    (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505,
    luminance([r, g, b]),
    (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089,
  ]
  return [116 * f(y) - 16, 500 * (f(x) - f(y)), 200 * (f(y) - f(z))]
}

test.each(['light', 'dark'] as const)('every color has a contrast of 3:1 to the panel in the %s theme', (scheme) => {
  for (const color of palette(scheme)) expect(contrast(color, PANELS[scheme]), color).toBeGreaterThan(3)
})

test.each(['light', 'dark'] as const)(
  'any two colors of the %s theme differ with every kind of color vision',
  (scheme) => {
    for (const [sight, matrix] of Object.entries(SIGHTS)) {
      const seen = palette(scheme).map((color) => lab(color, matrix))
      seen.forEach((a, i) => {
        for (const b of seen.slice(0, i)) {
          expect(Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]), sight).toBeGreaterThan(20)
        }
      })
    }
  },
)

test('seven consecutive runs have seven colors', () => {
  const colors = Array.from({ length: 7 }, (_, i) => strokeOf(slotOf(1000 + i), 'light').color)
  expect(new Set(colors).size).toBe(7)
})

test('runs with one color have different dashes', () => {
  const runs = [0, 1, 0, 0].map((slot) => ({ stroke: strokeOf(slot, 'light') }))
  const dashes = dashed(runs).map((run) => run.stroke.dash.join())
  expect(dashes.slice(0, 2)).toEqual(['', ''])
  expect(new Set([dashes[0], dashes[2], dashes[3]]).size).toBe(3)
  expect(strokeOf(7, 'dark').dash).not.toEqual([])
})
