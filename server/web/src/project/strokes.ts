import { slotOf, strokeOf, type Scheme, type Stroke } from '../lib/palette'

const COLOR = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i

/** How a run or a group is drawn: in the colour it was given, else in its own place of the palette. */
export function strokeFor(id: string, color: unknown, scheme: Scheme): Stroke {
  if (typeof color === 'string' && COLOR.test(color)) return { color, dash: [] }
  return strokeOf(slotOf(id), scheme)
}
