import { mapper, type Scale } from './drawTraces'
import { nearest, type Numbers, type Trace } from './trace'

/** One line at the cursor. `distance`: vertical pixels between its point and the cursor. */
export interface Row {
  trace: Trace
  index: number
  distance: number
}

/**
 * The cursor in pixels of the plotting area, the lines under it, nearest first, and the x of the nearest one.
 * `touched`: a finger placed the cursor.
 */
export interface Hover {
  left: number
  top: number
  x: number
  rows: Row[]
  touched: boolean
}

/** Width and height of the plotting area, in CSS pixels. */
export interface Extent {
  width: number
  height: number
}

/** The most pixels along x between the cursor and a point under it. */
const REACH = 40

/** Return the lines under the cursor, nearest first. `at`: its x value. */
export function rowsAt(
  lines: Trace[],
  left: number,
  top: number,
  at: number,
  xs: Scale,
  ys: Scale,
  { width, height }: Extent,
): Row[] {
  const toX = mapper(xs, 0, width)
  const toY = mapper(ys, height, -height)
  const rows: Row[] = []
  let [lastX, lastIndex]: [Numbers | null, number] = [null, 0]
  for (const trace of lines) {
    const index: number = trace.x === lastX ? lastIndex : nearest(trace.x, at)
    ;[lastX, lastIndex] = [trace.x, index]
    if (Math.abs(toX(trace.x[index]!) - left) > REACH) continue
    const distance = Math.abs(toY(trace.y[index]!) - top)
    rows.push({ trace, index, distance: Number.isNaN(distance) ? Infinity : distance })
  }
  return rows.sort((a, b) => a.distance - b.distance)
}
