import type { PanelSpec } from '../charts/panelSpec'
import { defaultView, type Grouping, type Sort, type View } from './view'

type Members = Record<string, unknown>

const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string')

/** Nested members of a view: of these, too, only the differences are written. */
const NESTED = ['columns', 'charts'] as const

/** Return the differences from the default view, for links and saved views. `{}` is the default view. */
export function encodeView(view: View): Members {
  const found = differences(view as unknown as Members, defaultView as unknown as Members)
  for (const name of NESTED) {
    if (!(name in found)) continue
    found[name] = differences(view[name] as unknown as Members, defaultView[name] as unknown as Members)
  }
  return found
}

function differences(value: Members, standard: Members): Members {
  const found: Members = {}
  for (const name in standard) {
    if (JSON.stringify(value[name]) !== JSON.stringify(standard[name])) found[name] = value[name]
  }
  return found
}

/**
 * Parse a link or saved view, which another version or a person may have written. Defaults replace unknown and
 * malformed parts.
 */
export function decodeView(written: unknown): View {
  const members = parsed(written)
  if (!isObject(members)) return defaultView
  const found = decoded(members, defaultView as unknown as Members, READ_VIEW) as unknown as View
  return JSON.stringify(found) === JSON.stringify(defaultView) ? defaultView : found
}

function parsed(written: unknown): unknown {
  if (typeof written !== 'string') return written
  try {
    return JSON.parse(written)
  } catch {
    return undefined
  }
}

/** Return the value to use, or undefined if it has the wrong type. */
type Read = (value: unknown) => unknown

function decoded(written: Members, standard: Members, reads: Record<string, Read>): Members {
  const found: Members = {}
  for (const name in standard) {
    const value = Object.hasOwn(written, name) ? (reads[name] ?? sameKind(standard[name]))(written[name]) : undefined
    found[name] = value === undefined ? standard[name] : value
  }
  return found
}

const sameKind =
  (standard: unknown): Read =>
  (value) => {
    if (typeof standard === 'number') return Number.isFinite(value) ? value : undefined
    if (Array.isArray(standard)) return isTexts(value) ? value : undefined
    return typeof value === typeof standard ? value : undefined
  }

const oneOf =
  (...choices: string[]): Read =>
  (value) =>
    choices.includes(value as string) ? value : undefined

const between =
  (least: number, most: number): Read =>
  (value) =>
    typeof value === 'number' && value >= least && value <= most ? value : undefined

const READ_COLUMNS: Record<string, Read> = {
  widths: (value) => {
    if (!isObject(value)) return undefined
    return Object.fromEntries(Object.entries(value).filter(([, width]) => between(40, 2000)(width) !== undefined))
  },
}

const READ_CHARTS: Record<string, Read> = {
  smoothing: (value) => {
    const good =
      isObject(value) &&
      oneOf('none', 'ema', 'time-ema', 'mean')(value.kind) !== undefined &&
      Number.isFinite(value.weight)
    return good ? { kind: value.kind, weight: value.weight } : undefined
  },
  band: oneOf('std', 'minmax', 'none', 'runs'),
  limit: between(1, 1000),
  columns: between(0, 12),
  zoom: (value) => (Array.isArray(value) && value.length === 2 && value.every(Number.isFinite) ? value : undefined),
  panels: (value) => (Array.isArray(value) ? value.filter(isPanel) : undefined),
}

/** Whether a value is a panel. Unknown kinds are allowed: the charts show a message in their place. */
function isPanel(value: unknown): value is PanelSpec {
  if (!isObject(value)) return false
  const { id, section, kind, keys, title, columns, column, x, y } = value
  if (![id, section, kind].every((one) => typeof one === 'string')) return false
  if (title !== undefined && typeof title !== 'string') return false
  if (kind === 'line') return isTexts(keys)
  if (kind === 'parallel') return isTexts(columns)
  if (kind === 'bar') return typeof column === 'string'
  return kind !== 'scatter' || (typeof x === 'string' && typeof y === 'string')
}

const READ_VIEW: Record<string, Read> = {
  sort: (value) =>
    Array.isArray(value) ? value.filter(isSort).map(({ column, descending }) => ({ column, descending })) : undefined,
  group: (value): Grouping | undefined => {
    if (!isObject(value)) return undefined
    if (isTexts(value.by) && value.by.length) return { by: value.by }
    return isTexts(value.except) ? { except: value.except } : undefined
  },
  baseline: (value) => (typeof value === 'string' ? value : undefined),
  layout: oneOf('both', 'table', 'charts'),
  split: between(0.1, 0.9),
  columns: (value) =>
    isObject(value) ? decoded(value, defaultView.columns as unknown as Members, READ_COLUMNS) : undefined,
  charts: (value) =>
    isObject(parsed(value))
      ? decoded(parsed(value) as Members, defaultView.charts as unknown as Members, READ_CHARTS)
      : undefined,
}

const isSort = (value: unknown): value is Sort =>
  isObject(value) && typeof value.column === 'string' && typeof value.descending === 'boolean'
