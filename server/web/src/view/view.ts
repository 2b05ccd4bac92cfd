import type { Shapes } from '../api/client'
import type { PanelSpec, Smoothing } from '../charts/panelSpec'

/** One level of the sort order of runs. */
export type Sort = Required<Shapes['SortBy']>

/** Runs with equal values in all columns of `by`, or in all config except some, form a group. */
export type Grouping = { by: string[] } | { except: string[] } | null

/** Which columns the table shows and how. Names are column names, with `@choice` for other values than the last. */
export interface ColumnsView {
  /** The columns that come first; the others follow in the default order */
  order: string[]
  hidden: string[]
  pinned: string[]
  /** Widths in pixels of resized columns */
  widths: Record<string, number>
  /** Show only columns in which the runs differ */
  differing: boolean
}

export interface ChartsView {
  /** Regex on panel titles */
  search: string
  /** `_step`, `_runtime`, `_timestamp` or a metric */
  x: string
  logX: boolean
  logY: boolean
  smoothing: Smoothing
  /** Ignore outliers when scaling y */
  clip: boolean
  /** Draw the range from minimum to maximum of buckets */
  envelope: boolean
  /** What is drawn around the mean of a group */
  band: 'std' | 'minmax' | 'none' | 'runs'
  /** Most runs drawn */
  limit: number
  /** Collapsed sections */
  closed: string[]
  /** Panels per row; 0: as many as fit */
  columns: number
  /** Range of x common to all line panels */
  zoom: [number, number] | null
  /** Panels that the user made or edited, in order */
  panels: PanelSpec[]
  /** Ids of removed automatic panels */
  removed: string[]
}

/** The state of a workspace that links and saved views keep. */
export interface View {
  filter: string
  search: string
  sort: Sort[]
  group: Grouping
  columns: ColumnsView
  /** Ids of runs that are not drawn */
  hidden: string[]
  /** Id of the run that others are compared with */
  baseline: string | null
  layout: 'both' | 'table' | 'charts'
  /** The table's share of the width */
  split: number
  charts: ChartsView
}

export const defaultCharts: ChartsView = {
  search: '',
  x: '_step',
  logX: false,
  logY: false,
  smoothing: { kind: 'none', weight: 0.6 },
  clip: false,
  envelope: true,
  band: 'std',
  limit: 10,
  closed: [],
  columns: 0,
  zoom: null,
  panels: [],
  removed: [],
}

export const defaultView: View = {
  filter: '',
  search: '',
  sort: [{ column: 'created', descending: true }],
  group: null,
  columns: {
    order: [],
    hidden: [
      ...['id', 'updated', 'group', 'job_type', 'notes', 'host', 'user', 'program', 'commit', 'last_step', 'rows'],
      ...['error', 'color', 'ordinal', 'summary._step', 'summary._runtime', 'summary._timestamp'],
    ],
    pinned: ['name'],
    widths: {},
    differing: false,
  },
  hidden: [],
  baseline: null,
  layout: 'both',
  split: 0.4,
  charts: defaultCharts,
}
