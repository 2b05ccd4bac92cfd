import type { Pareto } from '../panelSpec'

export interface Point {
  x: number
  y: number
}

/** Return the indices of the points that no other point beats in x and y, sorted by x. NaN is never on the front. */
export function paretoFront(points: Point[], goal: Pareto): number[] {
  const [xSign, ySign] = goal.split('-').map((one) => (one === 'max' ? -1 : 1)) as [number, number]
  const order = points
    .map((point, index) => ({ x: xSign * point.x, y: ySign * point.y, index }))
    .filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))
    .sort((a, b) => a.x - b.x || a.y - b.y)
  const front: number[] = []
  let [best, bestX] = [Infinity, NaN]
  for (const { x, y, index } of order) {
    // Equal points are all on the front; of points with the same x only the best is.
    if (y < best || (y === best && x === bestX)) {
      front.push(index)
      best = y
      bestX = x
    }
  }
  return xSign < 0 ? front.reverse() : front
}
