import { slotOf, slotOfColor, strokeOf, type Scheme, type Stroke } from './palette'

/** Columns that drawing runs needs. */
export const STROKE_COLUMNS = ['name', 'color', 'ordinal']

const COLOR = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i

/**
 * Return color and dash of a run: the color it was given, else its slot in the palette. A color chosen from the palette
 * in one theme becomes that slot's color in the other.
 */
export function strokeFor(ordinal: unknown, color: unknown, scheme: Scheme): Stroke {
  if (typeof color === 'string' && COLOR.test(color)) {
    const slot = slotOfColor(color)
    return slot < 0 ? { color, dash: [] } : strokeOf(slot, scheme)
  }
  return strokeOf(slotOf(Number(ordinal) || 0), scheme)
}
