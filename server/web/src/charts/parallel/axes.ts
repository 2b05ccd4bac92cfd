import { number } from '../../lib/format'
import { columnTitle } from '../panelSpec'
import { asNumber, isCategorical } from '../table/runRows'

/** One axis: positions of its values from 0 (bottom) to 1 (top), and its labels. */
export interface Axis {
  column: string
  title: string
  /** The texts in axis order, if the column holds texts */
  names: string[] | null
  log: boolean
  min: number
  max: number
  /** Position of each run; NaN without a value */
  at: Float64Array
}

/** A selected range of an axis, as positions. */
export type Part = [low: number, high: number]

/** Use a log axis if all numbers are positive and span two decades, such as learning rates. */
export function axisOf(column: string, values: unknown[]): Axis {
  const title = columnTitle(column)
  if (isCategorical(values)) {
    const names = [...new Set(values.filter((value) => value !== null).map(String))].sort((a, b) =>
      a.localeCompare(b, 'en', { numeric: true }),
    )
    const places = new Map(names.map((name, i) => [name, names.length > 1 ? i / (names.length - 1) : 0.5]))
    return {
      column,
      title,
      names,
      log: false,
      min: 0,
      max: names.length - 1,
      at: Float64Array.from(values, (value) => places.get(String(value)) ?? NaN),
    }
  }
  const numbers = Float64Array.from(values, asNumber)
  let [min, max] = [Infinity, -Infinity]
  for (const value of numbers) {
    if (!Number.isFinite(value)) continue
    if (value < min) min = value
    if (value > max) max = value
  }
  if (!(min <= max)) return { column, title, names: null, log: false, min: 0, max: 1, at: numbers.fill(NaN) }
  const log = min > 0 && max / min >= 100
  const axis: Axis = { column, title, names: null, log, min, max, at: numbers }
  axis.at = numbers.map((value) => (Number.isFinite(value) ? positionOf(axis, value) : NaN))
  return axis
}

export function positionOf({ log, min, max }: Axis, value: number): number {
  if (min === max) return value === min ? 0.5 : value < min ? -1 : 2
  return log ? Math.log(value / min) / Math.log(max / min) : (value - min) / (max - min)
}

export function valueAt({ log, min, max }: Axis, at: number): number {
  if (min === max) return min
  return log ? min * (max / min) ** at : min + at * (max - min)
}

/** Return the labels of an axis: all names if they fit, else some of them; for numbers five values. */
export function labelsOf(axis: Axis, height: number): { at: number; text: string }[] {
  const { names } = axis
  if (!names) {
    if (axis.min === axis.max) return [{ at: 0.5, text: number(axis.min, 3) }]
    return [0, 0.25, 0.5, 0.75, 1].map((at) => ({ at, text: number(valueAt(axis, at), 3) }))
  }
  const every = Math.ceil(names.length / Math.max(1, Math.floor(height / 16)))
  return names.flatMap((text, i) => (i % every ? [] : [{ at: names.length > 1 ? i / (names.length - 1) : 0.5, text }]))
}

/** Return which runs are inside all selected ranges. */
export function within(axes: Axis[], parts: (Part | null)[], count: number): Uint8Array {
  const inside = new Uint8Array(count).fill(1)
  axes.forEach(({ at }, i) => {
    const part = parts[i]
    if (!part) return
    for (let run = 0; run < count; run++)
      if (!(at[run]! >= part[0] - 1e-9 && at[run]! <= part[1] + 1e-9)) inside[run] = 0
  })
  return inside
}

/** Return the selected ranges as a filter expression; empty without any. */
export function conditionOf(axes: Axis[], parts: (Part | null)[]): string {
  const conditions = axes.flatMap((axis, i) => {
    const part = parts[i]
    if (!part) return []
    const name = /^[A-Za-z_][\w./@-]*$/.test(axis.column) ? axis.column : `\`${axis.column}\``
    if (axis.names) {
      const last = Math.max(1, axis.names.length - 1)
      const chosen = axis.names.filter((_, place) => {
        const at = axis.names!.length > 1 ? place / last : 0.5
        return at >= part[0] - 1e-9 && at <= part[1] + 1e-9
      })
      return [`${name} in [${chosen.map((text) => JSON.stringify(text)).join(', ')}]`]
    }
    // Round outwards, so that the runs at the ends of the range stay inside.
    const low = part[0] > 0 ? [`${name} >= ${rounded(valueAt(axis, part[0]), -1)}`] : []
    const high = part[1] < 1 ? [`${name} <= ${rounded(valueAt(axis, part[1]), 1)}`] : []
    return low.length + high.length ? [...low, ...high] : [`${name} is not null`]
  })
  return conditions.join(' and ')
}

/** Round to four digits, down (−1) or up (1). */
export function rounded(value: number, direction: -1 | 1): number {
  if (value === 0 || !Number.isFinite(value)) return value
  const near = Number(value.toPrecision(4))
  if ((near - value) * direction >= 0) return near
  const unit = 10 ** (Math.floor(Math.log10(Math.abs(value))) - 3)
  return Number((near + direction * unit).toPrecision(4))
}
