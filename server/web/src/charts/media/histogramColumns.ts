import type { HistogramValue, Item } from './mediaValues'

/** One histogram of a run. `density`: each bin's share of all values, divided by the bin's width. */
export interface Column {
  step: number
  bins: number[]
  density: number[]
  counts: number[]
}

export function columnsOf(items: Item[]): Column[] {
  return items.flatMap(({ step, values }) => {
    const value = values.find((one): one is HistogramValue => one._type === 'histogram')
    if (!value) return []
    const { bins, counts } = value
    const total = counts.reduce((sum, count) => sum + count, 0) || 1
    const density = counts.map((count, i) => count / total / Math.max(bins[i + 1]! - bins[i]!, Number.MIN_VALUE))
    return [{ step, bins, counts, density }]
  })
}

/** The range of all columns: values from the outermost non-empty bins, and the highest density. */
export function extentsOf(runs: Column[][]): { low: number; high: number; most: number } {
  let [low, high, most] = [Infinity, -Infinity, 0]
  for (const { bins, counts, density } of runs.flat()) {
    const first = counts.findIndex((count) => count > 0)
    if (first < 0) continue
    low = Math.min(low, bins[first]!)
    high = Math.max(high, bins[counts.findLastIndex((count) => count > 0) + 1]!)
    for (const one of density) if (one > most) most = one
  }
  return low < high ? { low, high, most } : { low: 0, high: 1, most: most || 1 }
}

/** Left and right edge of each column between 0 and 1: halfway to its neighbours. */
export function edgesOf(columns: Column[]): [number, number][] {
  const first = columns[0]?.step ?? 0
  const span = (columns[columns.length - 1]?.step ?? 0) - first
  if (!(span > 0)) return columns.map((_, i) => [i / columns.length, (i + 1) / columns.length])
  const half = span / Math.max(1, columns.length - 1) / 2
  const place = (step: number) => (step - first + half) / (span + 2 * half)
  return columns.map(({ step }, i) => {
    const left = i ? (columns[i - 1]!.step + step) / 2 : step - half
    const right = i < columns.length - 1 ? (columns[i + 1]!.step + step) / 2 : step + half
    return [place(left), place(right)]
  })
}
