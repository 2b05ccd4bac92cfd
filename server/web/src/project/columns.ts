import { readable } from '../lib/format'
import type { ColumnsView } from '../view/view'
import type { ColumnInfo, ColumnType } from '../api/table'

/** A column of the table: one name of the catalogue, or a choice of a metric's history. */
export interface Column {
  /** As the API names it, with `@choice` */
  name: string
  base: string
  choice: string | null
  kind: ColumnInfo['kind']
  type: ColumnType
  info: ColumnInfo
  /** Pixels it has unless resized */
  size: number
}

/** The columns in their order, and what of them is shown. */
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

/** Members of the run that stand before, and after, what was configured and measured. */
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

/** The name of a metric and which value of its history is meant, where one is. */
export function splitChoice(name: string): { base: string; choice: string | null } {
  const match = CHOICE.exec(name)
  return match ? { base: match[1]!, choice: match[2]! } : { base: name, choice: null }
}

/** The heading of a column, and where the column comes from, shown in small above it. */
export function labelOf(column: Pick<Column, 'base' | 'choice' | 'kind'>): { label: string; from: string } {
  if (column.kind === 'run') return { label: column.base.replaceAll('_', ' '), from: '' }
  const label = readable(column.base.slice(column.kind.length + 1))
  return { label, from: column.choice ? column.choice.replace('=', ' ') : column.kind }
}

/** Which run and when, the config that tells it from others, its metrics, then all else. */
function rank({ kind, name, differs }: ColumnInfo): number {
  if (kind === 'summary') return 200
  if (kind === 'config') return differs ? 100 : 400
  return FIRST.includes(name) ? FIRST.indexOf(name) : 300 + LAST.indexOf(name)
}

function column(name: string, info: ColumnInfo): Column {
  const { base, choice } = name === info.name ? { base: name, choice: null } : splitChoice(name)
  const { kind, type } = info
  const label = labelOf({ base, choice, kind }).label
  const size = SIZES[name] ?? Math.min(200, Math.max(TYPE_SIZES[type], 36 + 7 * label.length))
  return { name, base, choice, kind, type, info, size }
}

/** Return the columns that a view shows, without names that no run has. */
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

/** The shortest `order` that makes all columns stand as in `wanted`: the rest of them follow as usual. */
export function shortOrder(wanted: string[], usual: string[]): string[] {
  const placed = new Set(wanted)
  let end = wanted.length
  while (end > 0) {
    // Taking the last one away keeps the order only if the usual order puts it there.
    placed.delete(wanted[end - 1]!)
    const rest = usual.filter((name) => !placed.has(name))
    if (rest.length !== wanted.length - end + 1 || rest.some((name, i) => name !== wanted[end - 1 + i])) break
    end--
  }
  return wanted.slice(0, end)
}

/** Put `name` before `before`, or at the end. */
export function moved(order: string[], name: string, before: string | null): string[] {
  if (name === before) return order
  const rest = order.filter((one) => one !== name)
  const at = before === null ? rest.length : rest.indexOf(before)
  return at < 0 ? order : [...rest.slice(0, at), name, ...rest.slice(at)]
}

/** Show another value of a metric's history in the place of a column. `choice` null: what the summary holds. */
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
  // The plain column always exists, so it is hidden behind the one that shows another value.
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
