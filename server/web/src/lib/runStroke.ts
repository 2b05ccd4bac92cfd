import { slotOf, slotOfColor, strokeOf, type Scheme, type Stroke } from './palette'

/** Columns that drawing runs needs. */
export const STROKE_COLUMNS = ['name', 'color', 'ordinal']

const COLOR = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i

/**
 * How a run is drawn: in the colour it was given, else in its own place of the palette. A colour that was
 * chosen from the palette of one theme is that place's colour in the other.
 */
export function strokeFor(ordinal: unknown, color: unknown, scheme: Scheme): Stroke {
  if (typeof color === 'string' && COLOR.test(color)) {
    const slot = slotOfColor(color)
    return slot < 0 ? { color, dash: [] } : strokeOf(slot, scheme)
  }
  return strokeOf(slotOf(Number(ordinal) || 0), scheme)
}
