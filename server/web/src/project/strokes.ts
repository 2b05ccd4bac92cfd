import { slotOf, slotOfColor, strokeOf, type Scheme, type Stroke } from '../lib/palette'

const COLOR = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i

/**
 * How a run or a group is drawn: in the colour it was given, else in its own place of the palette. A colour that was
 * chosen from the palette of one theme is that place's colour in the other.
 */
export function strokeFor(id: string, color: unknown, scheme: Scheme): Stroke {
  if (typeof color === 'string' && COLOR.test(color)) {
    const slot = slotOfColor(color)
    return slot < 0 ? { color, dash: [] } : strokeOf(slot, scheme)
  }
  return strokeOf(slotOf(id), scheme)
}
