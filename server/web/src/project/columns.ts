import { readable } from '../lib/format'
import type { ColumnsView } from '../view/view'
import type { ColumnInfo, ColumnType } from '../api/table'

/** A column of the table: one name of the catalogue, or a choice of a metric's history. */
export interface Column {
  /** The name in the API, with `@choice` */
  name: string
  base: string
  choice: string | null
  kind: ColumnInfo['kind']
  type: ColumnType
  info: ColumnInfo
  /** Default width in pixels */
  size: number
}

/** The columns in order, and which of them are shown. */
export interface Layout {
  all: Column[]
  order: string[]
  visible: Set<string>
  pinned: string[]
  /** Number of visible columns beyond the limit */
  left: number
}

/** Most columns shown at once. */
export const SHOWN = 300

/** Columns of the run itself that come before, and after, config and summary. */
const FIRST = ['name', 'created']
const LAST = [
  ...['state', 'duration', 'tags', 'group', 'job_type', 'notes', 'id', 'updated', 'last_step', 'rows', 'host', 'user'],
  ...['program', 'commit', 'error', 'color', 'ordinal'],
]

const SIZES: Record<string, number> = {
  name: 220,
  state: 100,
  created: 96,
  updated: 96,
  duration: 100,
  tags: 150,
  notes: 200,
}
const TYPE_SIZES: Record<ColumnType, number> = {
  ...{ number: 96, text: 132, boolean: 80, time: 110, list: 140, media: 110, mixed: 120 },
}

const CHOICE = /^(summary\..+)@(last|min|max|mean|step=\d+)$/

/** Split a column name into the metric and the chosen value of its history, if any. */
export function splitChoice(name: string): { base: string; choice: string | null } {
  const match = CHOICE.exec(name)
  return match ? { base: match[1]!, choice: match[2]! } : { base: name, choice: null }
}

/** Return the heading of a column, and its source, which is shown in small above it. */
export function labelOf(column: Pick<Column, 'base' | 'choice' | 'kind'>): { label: string; from: string } {
  if (column.kind === 'run') return { label: column.base.replaceAll('_', ' '), from: '' }
  const label = readable(column.base.slice(column.kind.length + 1))
  return { label, from: column.choice ? column.choice.replace('=', ' ') : column.kind }
}

/** Sort name and start time first, then config that differs between runs, metrics, and everything else. */
function rank({ kind, name, differs }: ColumnInfo): number {
  if (kind === 'summary') return 200
  if (kind === 'config') return differs ? 100 : 400
  return FIRST.includes(name) ? FIRST.indexOf(name) : 300 + LAST.indexOf(name)
}

function column(name: string, info: ColumnInfo): Column {
  const { base, choice } = name === info.name ? { base: name, choice: null } : splitChoice(name)
  const { kind, type } = info
  const label = labelOf({ base, choice, kind }).label
  const size = SIZES[name] ?? Math.min(200, Math.max(TYPE_SIZES[type], 40 + 7 * label.length))
  return { name, base, choice, kind, type, info, size }
}

/** Return the columns of a view, without names that no run has. */
export function layoutOf(view: ColumnsView, catalogue: ColumnInfo[]): Layout {
  const known = new Map(catalogue.map((info) => [info.name, info]))
  const usual = usualOrder(catalogue)
  const all = usual.map((name) => column(name, known.get(name)!))
  for (const name of view.order) {
    if (known.has(name)) continue
    const info = known.get(splitChoice(name).base)
    if (info && splitChoice(name).choice) all.push(column(name, info))
  }
  const names = new Set(all.map((one) => one.name))
  const first = view.order.filter((name) => names.has(name))
  const placed = new Set(first)
  const order = [...placed, ...usual.filter((name) => !placed.has(name))]
  const hidden = new Set(view.hidden)
  const isShown = (one: Column) => !hidden.has(one.name) && (!view.differing || one.name === 'name' || one.info.differs)
  const shown = new Set(all.filter(isShown).map((one) => one.name))
  const pinned = view.pinned.filter((name) => shown.has(name))
  const visible = new Set([...pinned, ...order.filter((name) => shown.has(name))].slice(0, SHOWN + pinned.length))
  return { all, order, visible, pinned, left: shown.size - visible.size }
}

export function usualOrder(catalogue: ColumnInfo[]): string[] {
  return [...catalogue]
    .map((info, at) => ({ info, at, rank: rank(info) }))
    .sort((a, b) => a.rank - b.rank || a.at - b.at)
    .map(({ info }) => info.name)
}

/** Return the shortest `order` that puts all columns as in `wanted`; unnamed columns follow in the default order. */
export function shortOrder(wanted: string[], usual: string[]): string[] {
  const placed = new Set(wanted)
  let end = wanted.length
  while (end > 0) {
    // The last name can be dropped only if the default order puts that column there.
    placed.delete(wanted[end - 1]!)
    const rest = usual.filter((name) => !placed.has(name))
    if (rest.length !== wanted.length - end + 1 || rest.some((name, i) => name !== wanted[end - 1 + i])) break
    end--
  }
  return wanted.slice(0, end)
}

/** Move `name` before `before`, or to the end. */
export function moved(order: string[], name: string, before: string | null): string[] {
  if (name === before) return order
  const rest = order.filter((one) => one !== name)
  const at = before === null ? rest.length : rest.indexOf(before)
  return at < 0 ? order : [...rest.slice(0, at), name, ...rest.slice(at)]
}

/** Replace a column by another value of its metric's history. `choice` null: the value in the summary. */
export function withChoice(
  view: ColumnsView,
  layout: Layout,
  usual: string[],
  name: string,
  choice: string | null,
): Partial<ColumnsView> {
  const { base } = layout.all.find((one) => one.name === name)!
  const next = choice ? `${base}@${choice}` : base
  if (next === name) return {}
  const renamed = (names: string[]) => [...new Set(names.map((one) => (one === name ? next : one)))]
  // The plain column always exists, so hide it and put the other one in its place.
  const wanted = layout.order
    .filter((one) => one !== next)
    .flatMap((one) => (one !== name ? [one] : name === base ? [next, base] : [next]))
  const hidden = view.hidden.filter((one) => one !== next)
  return {
    order: shortOrder(wanted, usual),
    hidden: name === base ? [...hidden, base] : hidden,
    pinned: renamed(view.pinned),
  }
}
