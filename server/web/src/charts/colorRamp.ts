import type { Scheme } from '../lib/palette'
import { RAMPS } from '../tokens'

const STEPS = 32

/** Colors for numbers from lowest to highest, in so few shades that equal ones can be drawn together. */
export function rampColors(values: number[], scheme: Scheme, none: string): string[] {
  let [min, max] = [Infinity, -Infinity]
  for (const value of values) {
    if (!Number.isFinite(value)) continue
    min = Math.min(min, value)
    max = Math.max(max, value)
  }
  const shades = Array.from({ length: STEPS }, (_, i) => shadeAt(RAMPS[scheme], i / (STEPS - 1)))
  return values.map((value) => {
    if (!Number.isFinite(value)) return none
    return shades[max > min ? Math.round(((value - min) / (max - min)) * (STEPS - 1)) : STEPS - 1]!
  })
}

/** The color at a place (0 … 1) of a gradient. */
export function shadeAt(colors: string[], at: number): string {
  const place = Math.max(0, Math.min(1, at)) * (colors.length - 1)
  const i = Math.min(colors.length - 2, Math.floor(place))
  const [from, to] = [channels(colors[i]!), channels(colors[i + 1]!)]
  return `rgb(${from.map((part, k) => Math.round(part + (to[k]! - part) * (place - i))).join(' ')})`
}

export const channels = (color: string): number[] => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16))
