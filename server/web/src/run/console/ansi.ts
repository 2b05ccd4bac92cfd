/** Parses a line with escape sequences into styled text, as a terminal shows it. */

/** `null`: the default color; 0–15: one of the terminal's named colors; else a CSS color */
export type Color = number | string | null

export interface Style {
  fg: Color
  bg: Color
  bold: boolean
  dim: boolean
  italic: boolean
  underline: boolean
  inverse: boolean
  strike: boolean
}

export interface Span extends Style {
  text: string
}

const PLAIN: Style = {
  ...{ fg: null, bg: null, bold: false, dim: false, italic: false },
  ...{ underline: false, inverse: false, strike: false },
}

// CSI sequences, OSC sequences (titles, links) with either terminator, two-character sequences, and single control
// characters. The server's search ignores the same ones: storage/console_escapes.py.
const SEQUENCE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences consist of control characters
  /\x1b\[([0-?]*)[ -/]*([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\|$)|\x1b[PX^_][^\x1b]*(?:\x1b\\|$)|\x1b[ -/]*[0-~]?|[\x00-\x08\x0b-\x1f\x7f]/g

/** Split a line into parts of one style each. Other sequences are dropped. Styles end with the line. */
export function parse(line: string): Span[] {
  if (!hasControl(line)) return line ? [{ text: line, ...PLAIN }] : []
  const spans: Span[] = []
  let style = PLAIN
  let at = 0
  const add = (text: string) => {
    const last = spans.at(-1)
    if (!text) return
    if (last && sameStyle(last, style)) last.text += text
    else spans.push({ text, ...style })
  }
  for (const found of line.matchAll(SEQUENCE)) {
    add(line.slice(at, found.index))
    at = found.index + found[0].length
    if (found[2] === 'm') style = styled(style, found[1]!)
  }
  add(line.slice(at))
  return spans
}

/** Return the line without escape sequences. */
export const plain = (line: string): string => (hasControl(line) ? line.replace(SEQUENCE, '') : line)

function hasControl(line: string): boolean {
  for (let i = 0; i < line.length; i++) {
    const code = line.charCodeAt(i)
    if ((code < 32 && code !== 9 && code !== 10) || code === 127) return true
  }
  return false
}

const sameStyle = (a: Style, b: Style) => (Object.keys(PLAIN) as (keyof Style)[]).every((name) => a[name] === b[name])

function styled(style: Style, parameters: string): Style {
  // `38:2::r:g:b` is the same as `38;2;r;g;b`.
  const codes = parameters
    .replace(/:2::/g, ':2:')
    .split(/[;:]/)
    .map((part) => Number(part || 0))
  const next = { ...style }
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!
    if (code === 38 || code === 48) {
      const [colour, used] = extended(codes.slice(i + 1))
      next[code === 38 ? 'fg' : 'bg'] = colour
      i += used
    } else Object.assign(next, simple(code))
  }
  return next
}

function simple(code: number): Partial<Style> {
  if (code === 0) return PLAIN
  if (code >= 30 && code <= 37) return { fg: code - 30 }
  if (code >= 90 && code <= 97) return { fg: code - 82 }
  if (code >= 40 && code <= 47) return { bg: code - 40 }
  if (code >= 100 && code <= 107) return { bg: code - 92 }
  return SWITCHES[code] ?? {}
}

const SWITCHES: Record<number, Partial<Style>> = {
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { underline: true },
  7: { inverse: true },
  9: { strike: true },
  22: { bold: false, dim: false },
  23: { italic: false },
  24: { underline: false },
  27: { inverse: false },
  29: { strike: false },
  39: { fg: null },
  49: { bg: null },
}

/** Parse the color after 38 or 48; return it with the count of numbers it used. */
function extended(rest: number[]): [Color, number] {
  if (rest[0] === 5) return [indexed(rest[1] ?? 0), 2]
  if (rest[0] === 2) return [`rgb(${byte(rest[1])}, ${byte(rest[2])}, ${byte(rest[3])})`, 4]
  return [null, 1]
}

const byte = (value: number | undefined) => Math.min(255, Math.max(0, Math.round(value ?? 0) || 0))

/** Return one of the 256 colors: 16 named ones, a cube of 6 × 6 × 6, 24 greys. */
function indexed(index: number): Color {
  if (index < 16) return index
  if (index >= 232) {
    const grey = byte(8 + 10 * (index - 232))
    return `rgb(${grey}, ${grey}, ${grey})`
  }
  const level = (n: number) => (n ? 55 + 40 * n : 0)
  const cube = index - 16
  return `rgb(${level(Math.floor(cube / 36))}, ${level(Math.floor(cube / 6) % 6)}, ${level(cube % 6)})`
}
