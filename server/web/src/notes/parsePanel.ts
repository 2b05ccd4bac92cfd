import type { PanelKind, PanelSpec, Smoothing } from '../charts/panelSpec'
import { strings } from '../strings'
import { isObject } from '../run/values'

const texts = strings.notes.panel

/** A panel in notes, and which runs it shows. */
export interface NotePanel {
  spec: PanelSpec
  filter: string
  /** Shows only these runs; if empty, those that match the filter */
  runs: string[]
  limit: number
  smoothing: Smoothing | null
}

const KINDS: PanelKind[] = [
  'line',
  'bar',
  'scatter',
  'parallel',
  'histogram',
  'media',
  'table',
  'text',
  'curve',
  'plotly',
  'html',
]
const LIMIT = 10
const HEIGHT = 300

/** Parse a block of JSON, or of `name: value` lines. Throws an `Error` with a text for the user. */
export function parsePanel(source: string): NotePanel {
  const said = source.trim().startsWith('{') ? parseJson(source) : parseLines(source)
  const kind = (said.kind ?? (said.x && said.y ? 'scatter' : 'line')) as PanelKind
  if (!KINDS.includes(kind)) throw new Error(texts.kind(String(kind), KINDS.join(', ')))
  return {
    spec: {
      ...specOf(kind, said),
      id: 'note',
      section: '',
      title: text(said.title),
      height: amount(said, 'height', 100, 2000) ?? HEIGHT,
    },
    filter: text(said.filter) ?? '',
    runs: list(said.runs),
    limit: amount(said, 'limit', 1, 1000) ?? LIMIT,
    smoothing: smoothingOf(amount(said, 'smoothing', 0, 0.999)),
  }
}

type Said = Record<string, unknown>

function parseJson(source: string): Said {
  let said: unknown
  try {
    said = JSON.parse(source)
  } catch (error) {
    throw new Error(texts.json((error as Error).message))
  }
  if (!isObject(said)) throw new Error(texts.object)
  return said
}

function parseLines(source: string): Said {
  const said: Said = {}
  for (const line of source.split('\n').filter((one) => one.trim())) {
    const found = /^\s*(\w+)\s*:\s*(.*?)\s*$/.exec(line)
    if (!found) throw new Error(texts.line(line.trim()))
    said[found[1]!] = found[2]!
  }
  return said
}

const text = (value: unknown) => (typeof value === 'string' && value ? value : undefined)
const flag = (value: unknown) => value === true || value === 'true' || value === 'yes'

/** Read a list, or comma-separated texts. */
function list(value: unknown): string[] {
  const items = Array.isArray(value) ? value.map(String) : String(value ?? '').split(',')
  return items.map((one) => one.trim()).filter(Boolean)
}

function amount(said: Said, name: string, least: number, most: number): number | null {
  if (said[name] === undefined || said[name] === '') return null
  const value = Number(said[name])
  if (!(value >= least && value <= most)) throw new Error(texts.range(name, least, most))
  return value
}

const smoothingOf = (weight: number | null): Smoothing | null => (weight === null ? null : { kind: 'ema', weight })

function needed(said: Said, name: string): string {
  const value = text(said[name])
  if (!value) throw new Error(texts.missing(name))
  return value
}

function specOf(kind: PanelKind, said: Said) {
  const logs = { logX: flag(said.logX), logY: flag(said.logY) }
  if (kind === 'line') {
    const keys = [...list(said.key), ...list(said.keys)]
    const regex = text(said.regex)
    if (!keys.length && !regex) throw new Error(texts.missing('key'))
    return { kind, keys, regex, x: text(said.x), ...logs }
  }
  if (kind === 'bar') return { kind, column: needed(said, said.key ? 'key' : 'column') }
  if (kind === 'scatter') return { kind, x: needed(said, 'x'), y: needed(said, 'y'), color: text(said.color), ...logs }
  if (kind === 'parallel') {
    const columns = list(said.columns)
    if (columns.length < 2) throw new Error(texts.columns)
    return { kind, columns, color: text(said.color) }
  }
  return { kind, key: needed(said, 'key') }
}
