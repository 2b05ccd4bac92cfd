/** Which lines stand where when more lines are scrolled through than a browser can make an element high. */

export const LINE = 18
/** Pixels; Firefox ends at 17.8 million */
export const MOST = 15_000_000

export interface Window {
  /** Height of the whole, in pixels */
  height: number
  /** The first line that is seen, with the part of it that is scrolled away */
  first: number
  /** How many lines are seen */
  count: number
}

/** Which of `total` lines are visible in `view` pixels after scrolling `top` pixels. */
export function windowAt(total: number, view: number, top: number): Window {
  const count = view / LINE
  const height = Math.min(MOST, total * LINE)
  if (total * LINE <= MOST) return { height, first: top / LINE, count }
  const part = Math.min(1, Math.max(0, top / (height - view)))
  return { height, first: part * (total - count), count }
}

/** How far to scroll so that `line` is in the middle. */
export function topOf(line: number, total: number, view: number): number {
  const { height, count } = windowAt(total, view, 0)
  const first = Math.min(Math.max(0, line - (count - 1) / 2), Math.max(0, total - count))
  if (total * LINE <= MOST) return first * LINE
  return (first / (total - count)) * (height - view)
}
