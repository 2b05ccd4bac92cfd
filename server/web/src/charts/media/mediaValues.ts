/** Media values in logged rows (core/tracker/runlog/FORMAT.md). */
export interface Stored {
  _type: 'image' | 'audio' | 'video' | 'html' | 'plotly' | 'table'
  digest: string
  size: number
  format: string
  caption?: string
  width?: number
  height?: number
  columns?: string[]
  rows?: number
  plot?: { type: string; x: string; y: string }
}

export interface HistogramValue {
  _type: 'histogram'
  bins: number[]
  counts: number[]
  nonfinite?: number
}

export interface TextValue {
  _type: 'text'
  value: string
}

export type One = Stored | HistogramValue | TextValue
export type MediaValue = One | { _type: 'list'; items: One[] }

/** What one run logged under a key. */
export interface Item {
  step: number
  values: One[]
}

const STORED = ['image', 'audio', 'video', 'html', 'plotly', 'table']

/** Return the media in a logged value; incomplete and other values are dropped. */
export function mediaOf(value: unknown): One[] {
  if (value === null || typeof value !== 'object') return []
  const { _type: type, ...members } = value as Record<string, unknown> & { _type?: unknown }
  if (type === 'list') return Array.isArray(members.items) ? members.items.flatMap(mediaOf) : []
  if (type === 'text') return typeof members.value === 'string' ? [value as TextValue] : []
  if (type === 'histogram') {
    const { bins, counts } = members
    const whole = Array.isArray(bins) && Array.isArray(counts) && bins.length === counts.length + 1
    return whole ? [value as HistogramValue] : []
  }
  return STORED.includes(String(type)) && typeof members.digest === 'string' ? [value as Stored] : []
}

/** Return the last item at or before a step; undefined before the first. */
export function itemAt(items: Item[], step: number): Item | undefined {
  for (let i = items.length - 1; i >= 0; i--) if (items[i]!.step <= step) return items[i]
  return undefined
}

/** Return all steps at which any run has a value, ascending. */
export const stepsOf = (runs: { items: Item[] }[]): number[] =>
  [...new Set(runs.flatMap((run) => run.items.map((item) => item.step)))].sort((a, b) => a - b)
