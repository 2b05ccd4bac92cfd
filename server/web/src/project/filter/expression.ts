/**
 * Filter expressions, as far as the browser needs them: to complete typed text, and to show the conditions joined by
 * `and` one by one. Only the server decides what an expression means and whether it is valid.
 */

export type TokenKind = 'name' | 'quoted' | 'text' | 'number' | 'sign' | 'unknown'

export interface Token {
  kind: TokenKind
  /** The text, without quotes */
  value: string
  /** Its position in the text */
  from: number
  to: number
}

// The same characters as `\s` and `\w` in Python, which the server uses (storage/table/tokens.py).
// tests/vectors/filters.json checks both.
const SPACE = String.raw`[\t-\r\x1c- \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]`
const NAME = String.raw`(?![0-9])[\p{L}\p{N}_](?:[\p{L}\p{N}_./-]|@(?!step=-?[0-9]))*(?:@step=-?[0-9]+)?`
const TOKEN = new RegExp(
  [
    `(?<space>${SPACE}+)`,
    `(?<name>${NAME})`,
    String.raw`(?<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[smhdw]?(?![\p{L}\p{N}_.@/])|[+-]inf(?![\p{L}\p{N}_.@/-]))`,
    '`(?<quoted>(?:[^`]|``)*)`?',
    String.raw`"(?<double>(?:[^"\\]|\\.)*)"?`,
    String.raw`'(?<single>(?:[^'\\]|\\.)*)'?`,
    String.raw`(?<sign><=|>=|==|!=|[<>=~()\[\],])`,
    '(?<unknown>.)',
  ].join('|'),
  'suy',
)
const BARE = new RegExp(`^${NAME}$`, 'u')
const KEYWORDS = new Set(['and', 'or', 'not', 'in', 'has', 'is', 'true', 'false', 'null'])

export function tokenize(text: string): Token[] {
  const found: Token[] = []
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < text.length) {
    const from = TOKEN.lastIndex
    const parts = TOKEN.exec(text)?.groups
    if (!parts) break // a lone half of a surrogate pair
    const to = TOKEN.lastIndex
    const put = (kind: TokenKind, value: string) => found.push({ kind, value, from, to })
    if (parts.name !== undefined) put('name', parts.name)
    else if (parts.number !== undefined) put('number', parts.number)
    else if (parts.quoted !== undefined) put('quoted', parts.quoted.replaceAll('``', '`'))
    else if (parts.double !== undefined) put('text', unescaped(parts.double))
    else if (parts.single !== undefined) put('text', unescaped(parts.single))
    else if (parts.sign !== undefined) put('sign', parts.sign)
    else if (parts.unknown !== undefined) put('unknown', parts.unknown)
  }
  return found
}

const unescaped = (text: string): string => text.replace(/\\(["'\\])/g, '$1')

/** Return the keyword of a token, if it is one. */
export const keyword = (token: Token | undefined): string | null => {
  const word = token?.kind === 'name' ? token.value.toLowerCase() : ''
  return KEYWORDS.has(word) ? word : null
}

export const isName = (token: Token | undefined): boolean =>
  token?.kind === 'quoted' || (token?.kind === 'name' && keyword(token) === null)

/** Write a name for an expression, quoted if needed. */
export const writtenName = (name: string): string =>
  BARE.test(name) && !name.endsWith('.') && !KEYWORDS.has(name.toLowerCase())
    ? name
    : `\`${name.replaceAll('`', '``')}\``

/** Write a value for an expression, quoted if needed. */
export function writtenValue(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'string') return `"${value.replace(/["\\]/g, '\\$&')}"`
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  return writtenValue(JSON.stringify(value))
}

/** One of the conditions that are joined by `and`. */
export interface Condition {
  text: string
  /** Its parts if it compares one name with a value, so that the form can edit it */
  simple: { name: string; operator: string; value: string } | null
}

/** Split an expression into the conditions that `and` joins. With an `or` it is one condition. */
export function conditions(text: string): Condition[] {
  const tokens = tokenize(text)
  if (!tokens.length) return []
  const parts: Token[][] = [[]]
  let depth = 0
  for (const token of tokens) {
    if (token.kind === 'sign' && '(['.includes(token.value)) depth++
    if (token.kind === 'sign' && ')]'.includes(token.value)) depth--
    if (depth === 0 && keyword(token) === 'or') return [{ text: text.trim(), simple: null }]
    if (depth === 0 && keyword(token) === 'and') parts.push([])
    else parts.at(-1)!.push(token)
  }
  return parts
    .filter((part) => part.length)
    .map((part) => ({ text: text.slice(part[0]!.from, part.at(-1)!.to), simple: simple(text, part) }))
}

const SIGNS = new Set(['<', '<=', '>', '>=', '==', '=', '!=', '~'])

function simple(text: string, [name, ...rest]: Token[]): Condition['simple'] {
  if (!name || !isName(name) || !rest.length) return null
  const [first, second, third] = rest
  const valueFrom = (at: number) => {
    const [from, to] = [rest[at], rest.at(-1)]
    return from && to ? text.slice(from.from, to.to) : ''
  }
  const made = (operator: string, at: number) => ({ name: name.value, operator, value: valueFrom(at) })
  const word = keyword(first)
  if (word === 'is') {
    if (rest.length === 2 && keyword(second) === 'null') return made('is null', 2)
    return rest.length === 3 && keyword(second) === 'not' && keyword(third) === 'null' ? made('is not null', 3) : null
  }
  if (word === 'in') return made('in', 1)
  if (word === 'not' && keyword(second) === 'in') return made('not in', 2)
  if (rest.length !== 2) return null
  if (word === 'has') return made('has', 1)
  return first!.kind === 'sign' && SIGNS.has(first!.value) ? made(first!.value === '=' ? '==' : first!.value, 1) : null
}

/** Join expressions by `and`. One with `or` gets parentheses, since `and` binds tighter. */
export function joined(texts: string[]): string {
  const parts = texts.map((text) => text.trim()).filter(Boolean)
  if (parts.length < 2) return parts[0] ?? ''
  return parts.map((text) => (hasOr(text) ? `(${text})` : text)).join(' and ')
}

function hasOr(text: string): boolean {
  let depth = 0
  return tokenize(text).some((token) => {
    if (token.kind === 'sign' && '(['.includes(token.value)) depth++
    if (token.kind === 'sign' && ')]'.includes(token.value)) depth--
    return depth === 0 && keyword(token) === 'or'
  })
}

/** Join `expression` and `another`, without repeating conditions. */
export const narrowed = (expression: string, another: string): string => {
  const now = conditions(expression).map(({ text }) => text)
  const more = conditions(another).map(({ text }) => text)
  return joined([...now, ...more.filter((text) => !now.includes(text))])
}

export const without = (expression: string, index: number): string =>
  joined(
    conditions(expression)
      .filter((_, i) => i !== index)
      .map(({ text }) => text),
  )

export const replaced = (expression: string, index: number, text: string): string =>
  joined(conditions(expression).map((one, i) => (i === index ? text : one.text)))
