/**
 * Colours of runs. Distinguishable with deuteranopia and protanopia (after Okabe and Ito, and Tol's "bright"), with a
 * variant per theme that keeps 3:1 to the background. After seven, dash patterns tell runs apart.
 */
const LIGHT = ['#0060a8', '#c04a00', '#007a5a', '#a3307f', '#8a6a00', '#2a8fbd', '#b0283a']
const DARK = ['#56a8ea', '#f28e3c', '#2fc29a', '#e07fc0', '#e0c040', '#9bd4f5', '#f2707f']
const DASHES: number[][] = [[], [8, 4], [2, 3], [10, 3, 2, 3]]

export type Scheme = 'light' | 'dark'

export interface Stroke {
  color: string
  /** Lengths of strokes and gaps in pixels; empty for a whole line */
  dash: number[]
}

/** A run's own place in the palette, the same wherever and whenever it is shown. */
export function slotOf(id: string): number {
  let hash = 2166136261
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 16777619)
  hash ^= hash >>> 15
  return Math.abs(Math.imul(hash, 2246822519) ^ (hash >>> 13)) % (LIGHT.length * DASHES.length)
}

/** Colour and dash of a slot in a theme. */
export function strokeOf(slot: number, scheme: Scheme): Stroke {
  const colors = scheme === 'dark' ? DARK : LIGHT
  return { color: colors[slot % colors.length]!, dash: DASHES[Math.floor(slot / colors.length) % DASHES.length]! }
}
