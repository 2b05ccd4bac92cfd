import { RUN_COLORS } from '../tokens'

/** Seven colors for each theme; after seven, dash patterns tell runs apart. */
const { light: LIGHT, dark: DARK } = RUN_COLORS
const DASHES: number[][] = [[], [8, 4], [2, 3], [10, 3, 2, 3], [16, 4], [5, 2, 2, 2, 2, 2]]

export type Scheme = 'light' | 'dark'

export interface Stroke {
  color: string
  /** Lengths of dashes and gaps in pixels; empty for a solid line */
  dash: number[]
}

export const palette = (scheme: Scheme): readonly string[] => (scheme === 'dark' ? DARK : LIGHT)

/**
 * Return a run's slot in the palette. It depends only on the run's ordinal on the server, so it is the same everywhere,
 * and consecutive runs differ.
 */
export const slotOf = (ordinal: number): number => ordinal % LIGHT.length

/** Return color and dash of a slot in a theme; slots from seven on are dashed. */
export function strokeOf(slot: number, scheme: Scheme): Stroke {
  const colors = palette(scheme)
  return { color: colors[slot % colors.length]!, dash: DASHES[Math.floor(slot / colors.length) % DASHES.length]! }
}

/** Return the slot of a color, in either theme; -1 for a custom color. */
export function slotOfColor(color: string): number {
  const wanted = color.toLowerCase()
  return Math.max(LIGHT.indexOf(wanted), DARK.indexOf(wanted))
}

/** Return the items with dash patterns added where colors repeat. */
export function dashed<T extends { stroke: Stroke }>(things: T[]): T[] {
  const seen = new Map<string, number>()
  return things.map((thing) => {
    const before = seen.get(thing.stroke.color) ?? 0
    seen.set(thing.stroke.color, before + 1)
    const dash = DASHES[before % DASHES.length]!
    return dash === thing.stroke.dash ? thing : { ...thing, stroke: { ...thing.stroke, dash } }
  })
}
