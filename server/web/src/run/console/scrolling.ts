/** Scroll positions for more lines than fit into the tallest element that a browser allows. */

export const LINE = 18
/** The tallest element in pixels; Firefox allows 17.8 million */
export const MOST = 15_000_000

export interface Window {
  /** Height of the scrolled element in pixels */
  height: number
  /** The first visible line, with the hidden part of it as a fraction */
  first: number
  /** Number of visible lines */
  count: number
}

/** Return which of `total` lines are visible in `view` pixels after scrolling by `top` pixels. */
export function windowAt(total: number, view: number, top: number): Window {
  const count = view / LINE
  const height = Math.min(MOST, total * LINE)
  if (total * LINE <= MOST) return { height, first: top / LINE, count }
  const part = Math.min(1, Math.max(0, top / (height - view)))
  return { height, first: part * (total - count), count }
}

/** Return the scroll position that centers `line`. */
export function topOf(line: number, total: number, view: number): number {
  const { height, count } = windowAt(total, view, 0)
  const first = Math.min(Math.max(0, line - (count - 1) / 2), Math.max(0, total - count))
  if (total * LINE <= MOST) return first * LINE
  return (first / (total - count)) * (height - view)
}
