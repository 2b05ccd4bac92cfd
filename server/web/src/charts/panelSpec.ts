import { readable } from '../lib/format'

/** What a panel shows: the part of a view that people make, change, save and embed in notes. */

export interface Smoothing {
  kind: 'none' | 'ema' | 'time-ema' | 'mean'
  /** For the averages with decay: 0 (none) … 0.999; for the running mean: points in the window */
  weight: number
}

export interface PanelBase {
  /** Its own; automatic panels are named by kind and key, and one that was changed keeps its name */
  id: string
  section: string
  title?: string
  /** In columns of the wall */
  width?: number
  /** In pixels */
  height?: number
  /** Its place in the section; an automatic panel's is its number there */
  order?: number
}

export interface LineSpec extends PanelBase {
  kind: 'line'
  keys: string[]
  /** `_step`, `_runtime`, `_timestamp` or a metric; that of the wall where not given, as are the following */
  x?: string
  logX?: boolean
  logY?: boolean
  smoothing?: Smoothing
  /** Also all numeric keys that it matches */
  regex?: string
}

export interface BarSpec extends PanelBase {
  kind: 'bar'
  column: string
}

/** Which of x and y are better when smaller: the front holds the runs that no other run beats in both. */
export type Pareto = 'min-min' | 'min-max' | 'max-min' | 'max-max'

export interface ScatterSpec extends PanelBase {
  kind: 'scatter'
  x: string
  y: string
  color?: string
  pareto?: Pareto
  logX?: boolean
  logY?: boolean
}

export interface ParallelSpec extends PanelBase {
  kind: 'parallel'
  columns: string[]
  color?: string
}

export interface MediaSpec extends PanelBase {
  /** `media` shows whatever the key holds */
  kind: 'histogram' | 'media' | 'table' | 'text' | 'curve' | 'plotly' | 'html'
  key: string
}

export type PanelSpec = LineSpec | BarSpec | ScatterSpec | ParallelSpec | MediaSpec
export type PanelKind = PanelSpec['kind']

/** Change members of a panel without losing its kind. */
export const changed = (spec: PanelSpec, change: Partial<PanelBase>): PanelSpec => ({ ...spec, ...change })

/** Part of a key before its first `/`, by which automatic panels are put together; empty for a key without one. */
export const prefixOf = (key: string): string => key.slice(0, Math.max(0, key.indexOf('/')))

/** A column as people read it: without the word that says where it is from. */
export const columnTitle = (column: string): string => readable(column.replace(/^(summary|config)\./, ''))

/** The title of a panel that has none of its own. */
export function titleOf(spec: PanelSpec): string {
  if (spec.title) return spec.title
  switch (spec.kind) {
    case 'line':
      return spec.keys.length ? spec.keys.map(readable).join(', ') : `/${spec.regex ?? ''}/`
    case 'bar':
      return columnTitle(spec.column)
    case 'scatter':
      return `${columnTitle(spec.y)} over ${columnTitle(spec.x)}`
    case 'parallel':
      return spec.columns.map(columnTitle).join(', ')
    default:
      return readable(String(spec.key ?? spec.kind))
  }
}
