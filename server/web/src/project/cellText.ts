import { ago, duration, moment, number, value } from '../lib/format'
import type { Aggregate } from '../api/table'
import type { Column } from './columns'

const DURATIONS = new Set(['duration'])

/** Whether the values of a column are right-aligned. */
export const isNumeric = (column: Column): boolean => column.type === 'number'

/** Format a value of a column for the table. */
export function textOf(column: Column, item: unknown): string {
  if (item === null || item === undefined) return ''
  if (typeof item === 'number') {
    if (column.type === 'time') return ago(item)
    if (DURATIONS.has(column.name)) return duration(item)
    return column.kind === 'summary' ? measured(item) : number(item, 5)
  }
  if (Array.isArray(item)) return item.map((one) => value(one)).join(', ')
  return value(item)
}

/** Format a metric, always with the same number of digits, so that a column is easy to scan. */
function measured(item: number): string {
  const size = Math.abs(item)
  return Number.isInteger(item) || !(size >= 1e-3 && size < 1e4) ? number(item) : item.toPrecision(4).replace('-', '−')
}

/** Format the full value for a tooltip. */
export function titleOf(column: Column, item: unknown): string | undefined {
  if (item === null || item === undefined) return undefined
  if (typeof item === 'number') {
    if (column.type === 'time') return moment(item)
    if (DURATIONS.has(column.name)) return `${item} s`
    return String(item)
  }
  return textOf(column, item)
}

/** Summarize the values of a group's runs in a column. */
export function aggregateText(
  column: Column,
  aggregate: Aggregate | undefined,
): { text: string; more: string; title: string } {
  const none = { text: '', more: '', title: '' }
  if (!aggregate) return none
  const { n, mean, std, min, max } = aggregate
  if (n === undefined) {
    if (aggregate.distinct === 1)
      return { ...none, text: textOf(column, aggregate.value), title: textOf(column, aggregate.value) }
    return aggregate.distinct ? { ...none, more: `${aggregate.distinct} values` } : none
  }
  if (!n || mean == null || std == null || min == null || max == null) return none
  const show = (item: number) =>
    column.type === 'time' || DURATIONS.has(column.name) ? textOf(column, item) : number(item)
  const range = `${show(min)} … ${show(max)}`
  if (column.type === 'time') return { text: show(max), more: '', title: range }
  const title = `mean ${number(mean, 6)}, std ${number(std, 4)}, min ${number(min, 6)}, max ${number(max, 6)}, n ${n}`
  const more = n > 1 && std > 0 ? (DURATIONS.has(column.name) ? `±${duration(std)}` : `±${number(std, 2)}`) : ''
  return { text: show(mean), more, title }
}

/** Format the relative difference from the baseline: `+3.2 %`; empty if it is undefined or zero. */
export function differenceText(item: unknown, baseline: unknown): string {
  if (
    typeof item !== 'number' ||
    typeof baseline !== 'number' ||
    !Number.isFinite(item) ||
    !Number.isFinite(baseline) ||
    baseline === 0 ||
    item === baseline
  )
    return ''
  const percent = (100 * (item - baseline)) / Math.abs(baseline)
  if (Math.abs(percent) < 0.005) return '±0 %'
  const digits = Math.abs(percent) < 10 ? 1 : 0
  if (Math.abs(percent) >= 1e5) return percent > 0 ? '> +1e5 %' : '< −1e5 %'
  return `${percent > 0 ? '+' : '−'}${Math.abs(percent).toFixed(digits)} %`
}
