import type { ColumnInfo } from '../../api/table'
import { splitChoice } from '../columns'
import { isName, keyword, tokenize, writtenName, writtenValue, type Token } from './expression'

export interface Completion {
  text: string
  /** Shown next to it */
  detail: string
}

export interface Completions {
  /** The characters that a completion replaces */
  from: number
  to: number
  options: Completion[]
}

const MOST = 50

const OPERATORS: Record<string, string> = {
  ...{ '==': 'equal', '!=': 'not equal', '<': 'less', '<=': 'at most', '>': 'more', '>=': 'at least' },
  ...{ in: 'one of a list', 'not in': 'none of a list', has: 'holds', '~': 'matches a pattern' },
  ...{ 'is null': 'has no value', 'is not null': 'has a value' },
}

/** Return the operators for a column, the most common first. */
export function operatorsFor(type: ColumnInfo['type'] | undefined): string[] {
  const nulls = ['is null', 'is not null']
  if (type === 'number' || type === 'time') return ['<', '<=', '>', '>=', '==', '!=', 'in', ...nulls]
  if (type === 'boolean') return ['==', '!=', ...nulls]
  if (type === 'list') return ['has', ...nulls]
  if (type === 'text') return ['==', '!=', 'has', 'in', 'not in', '~', ...nulls]
  return Object.keys(OPERATORS)
}

export const operatorName = (operator: string): string => OPERATORS[operator] ?? operator

const CHOICES = ['min', 'max', 'mean', 'last']

/** Return suggestions for the text at the caret. */
export function complete(text: string, caret: number, columns: ColumnInfo[]): Completions {
  const tokens = tokenize(text)
  const current = tokens.find((token) => token.from < caret && caret <= token.to && token.kind !== 'sign')
  const before = tokens.filter((token) => token.to <= (current ? current.from : caret))
  const typed = current ? text.slice(current.from, caret).toLowerCase() : ''
  const [from, to] = current ? [current.from, current.to] : [caret, caret]
  const fitting = (options: Completion[]) => ({ from, to, options: ranked(options, typed).slice(0, MOST) })
  const place = expected(before)
  if (place.what === 'name') return fitting([...names(columns, typed), ...(typed ? [] : [{ text: 'not', detail: '' }])])
  const column =
    columns.find((one) => one.name === place.name) ?? columns.find((one) => one.name === splitChoice(place.name).base)
  if (place.what === 'operator') {
    return fitting(operatorsFor(column?.type).map((one) => ({ text: one, detail: operatorName(one) })))
  }
  if (place.what === 'value') return fitting(values(column))
  return fitting(['and', 'or'].map((one) => ({ text: one, detail: '' })))
}

/** Return the part of a name before the caret. */
export function typedName(text: string, caret: number): string {
  const token = tokenize(text).find((one) => one.from < caret && caret <= one.to && isName(one))
  return token && token.to === caret ? token.value : ''
}

/** Whether a filter is complete, so that it is worth asking the server to check it. */
export function isFinished(text: string): boolean {
  const tokens = tokenize(text)
  let depth = 0
  for (const { kind, value } of tokens) {
    if (kind === 'sign' && '(['.includes(value)) depth++
    if (kind === 'sign' && ')]'.includes(value)) depth--
  }
  const last = tokens.at(-1)
  const end = last ? text.slice(last.from, last.to) : ''
  const closed = last?.kind !== 'text' || (end.length > 1 && end.endsWith(end[0]!))
  return (
    !last ||
    (depth === 0 && closed && expected(tokens).what === 'joint' && !['and', 'or', 'not'].includes(keyword(last) ?? ''))
  )
}

/** Return what may follow some tokens, and the name that is being compared. */
function expected(before: Token[]): { what: 'name' | 'operator' | 'value' | 'joint'; name: string } {
  let state: 'name' | 'operator' | 'value' | 'joint' | 'list' = 'name'
  let name = ''
  for (const token of before) {
    const word = keyword(token)
    if (state === 'name') {
      if (isName(token)) [state, name] = ['operator', token.value]
    } else if (state === 'operator') {
      if (word === 'not' || word === 'is') continue
      state = word === 'null' ? 'joint' : 'value'
    } else if (state === 'value') {
      state = token.value === '[' && token.kind === 'sign' ? 'list' : 'joint'
    } else if (state === 'list') {
      if (token.value === ']' && token.kind === 'sign') state = 'joint'
    } else if (word === 'and' || word === 'or') state = 'name'
  }
  return { what: state === 'list' ? 'value' : state, name }
}

function names(columns: ColumnInfo[], typed: string): Completion[] {
  const found = columns.map((one) => ({ text: writtenName(one.name), detail: detailOf(one) }))
  const { base } = splitChoice(typed.replaceAll('`', ''))
  const metric = columns.find(
    (one) =>
      one.kind === 'summary' &&
      one.type === 'number' &&
      typed.replaceAll('`', '').startsWith(one.name.toLowerCase()) &&
      (base !== typed || typed.includes('@') || typed === one.name.toLowerCase()),
  )
  if (!metric) return found
  return [...found, ...CHOICES.map((choice) => ({ text: writtenName(`${metric.name}@${choice}`), detail: '' }))]
}

function detailOf({ type, min, max }: ColumnInfo): string {
  if (type !== 'number' || typeof min !== 'number' || typeof max !== 'number') return type
  const short = (value: number) => String(Number(value.toPrecision(3)))
  return min === max ? short(min) : `${short(min)} … ${short(max)}`
}

function values(column: ColumnInfo | undefined): Completion[] {
  if (column?.type === 'boolean') return ['true', 'false'].map((text) => ({ text, detail: '' }))
  if (column?.type === 'time') return ['-1h', '-1d', '-7d', '-4w'].map((text) => ({ text, detail: '' }))
  if (column?.name === 'duration') return ['1m', '1h', '1d'].map((text) => ({ text, detail: '' }))
  if (column?.type === 'number') {
    return [column.min, column.max]
      .filter((one) => typeof one === 'number')
      .map((one, i) => ({ text: String(one), detail: i ? 'max' : 'min' }))
  }
  return (column?.values ?? []).map((one) => ({ text: writtenValue(one), detail: '' }))
}

/** Return the options that contain the typed text; those that begin with it, also after a dot or slash, come first. */
function ranked(options: Completion[], typed: string): Completion[] {
  const wanted = typed.replace(/^["'`]/, '')
  const score = ({ text }: Completion): number => {
    const at = text.toLowerCase().replace(/^["'`]/, '')
    if (at.startsWith(wanted)) return 0
    const found = at.indexOf(wanted)
    if (found < 0) return -1
    return /[./_-]/.test(at[found - 1]!) ? 1 : 2
  }
  return options
    .map((option, i) => ({ option, i, score: score(option) }))
    .filter((one) => one.score >= 0)
    .sort((a, b) => a.score - b.score || a.i - b.i)
    .map(({ option }) => option)
}
