import type { Scale } from './drawTraces'
import type { Range } from './sync'
import { apart, extentOf, yExtent, type Trace } from './trace'

/** Return the range of x that shows all lines; null without points. */
export function xRangeOf(lines: Trace[], log: boolean): Range | null {
  const extent = extentOf(lines)
  if (!extent) return null
  let [low, high] = extent
  if (log) {
    if (low <= 0) low = Math.min(...lines.map((line) => line.x.find((x) => x > 0) ?? Infinity), high)
    if (!(high > 0)) return null
    return low < high ? [low, high] : [low / 2, high * 2]
  }
  if (!apart(low, high)) {
    const pad = Math.max(1, Math.abs(low) * 1e-9)
    return [low - pad, high + pad]
  }
  return [low, high]
}

/** Return the range of y for the points between two x, with some room above and below. */
export function yRangeOf(lines: Trace[], x: Range, clip: boolean, log: boolean): Range {
  const extent = yExtent(lines, x, clip, log)
  if (!extent) return log ? [0.1, 1] : [0, 1]
  const [low, high] = extent
  if (log) {
    const pad = apart(low, high) ? (high / low) ** 0.05 : 2
    return [low / pad, high * pad]
  }
  const pad = apart(low, high) ? (high - low) * 0.06 : Math.abs(low) * 0.1 || 1
  return [low - pad, high + pad]
}

/**
 * Zoom a scale by `factor` around the point at `about` (0 … 1 of its extent), then shift it by a share of its extent.
 * Factors above 1 zoom out. Returns null if the range would be too small for floating-point numbers.
 */
export function zoomedRange(scale: Scale | null, factor: number, about: number, shift: number): Range | null {
  if (!scale) return null
  const forth = scale.log ? Math.log10 : (value: number) => value
  const back = scale.log ? (value: number) => 10 ** value : (value: number) => value
  const [low, high] = [forth(scale.min), forth(scale.max)]
  const extent = (high - low) * factor
  const start = low + (high - low) * about - extent * about + (high - low) * shift
  const range: Range = [back(start), back(start + extent)]
  return apart(...range) ? range : null
}
