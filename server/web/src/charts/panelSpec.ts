import { readable } from '../lib/format'

/** What a panel shows: the part of a view that users create, edit, save and embed in texts. */

export interface Smoothing {
  kind: 'none' | 'ema' | 'time-ema' | 'mean'
  /** Exponential averages: decay from 0 (none) to 0.999. Running mean: points in the window */
  weight: number
}

export interface PanelBase {
  /** Automatic panels have `kind:key`, also after they are edited */
  id: string
  section: string
  title?: string
  /** In columns of the panel grid */
  width?: number
  /** In pixels */
  height?: number
  /** Position in the section; by default that of an automatic panel is its index */
  order?: number
}

export interface LineSpec extends PanelBase {
  kind: 'line'
  keys: string[]
  /** `_step`, `_runtime`, `_timestamp` or a metric. This and the next three default to the settings of all panels */
  x?: string
  logX?: boolean
  logY?: boolean
  smoothing?: Smoothing
  /** Adds all numeric keys that it matches */
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
  /** `media` chooses the display by what was logged */
  kind: 'histogram' | 'media' | 'table' | 'text' | 'curve' | 'plotly' | 'html'
  key: string
  /** Step shown first; by default the last */
  step?: number
}

export type PanelSpec = LineSpec | BarSpec | ScatterSpec | ParallelSpec | MediaSpec
export type PanelKind = PanelSpec['kind']

/** Change members of a panel without losing its kind. */
export const changed = (spec: PanelSpec, change: Partial<PanelBase>): PanelSpec => ({ ...spec, ...change })

/** The part of a key before its first `/`, which is the section of its automatic panel; empty without a `/`. */
export const prefixOf = (key: string): string => key.slice(0, Math.max(0, key.indexOf('/')))

/** The readable name of a column, without its `config.` or `summary.`. */
export const columnTitle = (column: string): string => readable(column.replace(/^(summary|config)\./, ''))

/** The title of a panel: its own, or one made from what it shows. */
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
