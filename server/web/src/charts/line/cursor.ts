import { mapper, type Scale } from './drawTraces'
import { nearest, type Numbers, type Trace } from './trace'

/** One line at the cursor. `distance`: pixels between its point and the cursor, vertically. */
export interface Row {
  trace: Trace
  index: number
  distance: number
}

/**
 * The lines at the cursor, the nearest first; where that is, in pixels of the plotting area, and the x of the nearest.
 * `touched`: a finger put the cursor there.
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

/** A point further from the cursor than this along x is not under it. */
const REACH = 40

/** The lines under a cursor at `left`, `top`, which is at `at` on x; the nearest first. */
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
