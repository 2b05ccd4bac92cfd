/** Format numbers, times and sizes. */

// Created once: creating one takes longer than formatting a screen of numbers.
const COUNTS = new Intl.NumberFormat('en')
const DAYS = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' })
const MOMENTS = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })

/** `12,345` */
export const count = (n: number): string => COUNTS.format(n)

/** Format a number with at most `digits` significant digits and no trailing zeros. */
export function number(value: number, digits = 4): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞'
  if (Number.isInteger(value) && Math.abs(value) < 1e7) return count(value).replace('-', '−')
  const size = Math.abs(value)
  const text = size >= 1e7 || size < 1e-4 ? value.toExponential(digits - 1) : value.toPrecision(digits)
  return text
    .replace(/(\.\d*?)0+(?=$|e)/, '$1')
    .replace(/\.(?=$|e)/, '')
    .replace('e+', 'e')
    .replaceAll('-', '−')
}

/** Format any logged or configured value in one line. */
export function value(item: unknown): string {
  if (item === null || item === undefined) return '–'
  if (typeof item === 'number') return number(item)
  if (typeof item === 'string') return item
  if (typeof item === 'boolean' || typeof item === 'bigint') return String(item)
  const kind = (item as { _type?: unknown })._type
  if (typeof kind === 'string') return kind
  return JSON.stringify(item)
}

/** `3 h 12 min`, `45 s`, `230 ms` */
export function duration(seconds: number): string {
  if (!(seconds >= 0)) return '–'
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`
  if (seconds < 60) return `${number(seconds, 3)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return `${hours} h ${minutes % 60} min`
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** Format how long ago a Unix time was: `just now`, `5 min ago`, `3 d ago`, else the date. 0 is no time: `–`. */
export function ago(time: number, now = Date.now() / 1000): string {
  if (!time) return '–'
  const seconds = Math.max(0, now - time)
  if (seconds < 45) return 'just now'
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min ago`
  if (seconds < 86400) return `${Math.round(seconds / 3600)} h ago`
  if (seconds < 14 * 86400) return `${Math.round(seconds / 86400)} d ago`
  return new Date(time * 1000).toISOString().slice(0, 10)
}

/** A Unix time in the reader's own time zone. 0 is no time: event files may have none. */
export const moment = (time: number): string => (time && Math.abs(time) < 8.64e12 ? MOMENTS.format(time * 1000) : '–')

/** The day of a Unix time in the reader's own time zone. */
export const day = (time: number): string => DAYS.format(time * 1000)

/** `1.5 MB` */
export function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let unit = 0
  while (bytes >= 1000 && unit < units.length - 1) {
    bytes /= 1000
    unit++
  }
  return `${unit ? number(bytes, 3) : bytes} ${units[unit]}`
}

/** Put quotes around a name without visible characters. */
export const readable = (name: string): string => (/[^\s\p{C}\p{Z}]/u.test(name) ? name : `“${name}”`)
