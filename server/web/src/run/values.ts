import { size as bytes, number } from '../lib/format'
import { counted } from '../strings/counted'

/** A value and its path in nested objects, such as `optimizer.schedule.kind`. */
export interface Leaf {
  path: string
  value: unknown
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Whether it is a media value, such as a histogram, and not a plain object. */
export const isMedia = (value: unknown): value is { _type: string } & Record<string, unknown> =>
  isObject(value) && typeof value._type === 'string'

/** Whether it is a media value or a list of them. */
export const holdsMedia = (value: unknown): boolean => isMedia(value) || (Array.isArray(value) && value.some(isMedia))

/** Return all values in nested objects, in order. Lists and empty objects are values. */
export function flatten(values: Record<string, unknown>, prefix = ''): Leaf[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const path = prefix + name
    const hasMembers = isObject(value) && !isMedia(value) && Object.keys(value).length > 0
    return hasMembers ? flatten(value, `${path}.`) : [{ path, value }]
  })
}

/** Format a value in full precision: texts without quotes, everything else as JSON. */
export function exact(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : number(value)
  if (typeof value === 'bigint') return String(value)
  return stringify(value) ?? 'null'
}

/** Format as JSON; large integers, NaN and infinities become strings. */
export const stringify = (value: unknown, indent?: number): string =>
  JSON.stringify(
    value,
    (_key, one: unknown) => {
      if (typeof one === 'bigint') return String(one)
      return typeof one === 'number' && !Number.isFinite(one) ? String(one) : one
    },
    indent,
  )

/** Describe a media value in a few words. */
export function mediaLabel(value: { _type: string } & Record<string, unknown>): string {
  const size = value.width && value.height ? ` ${String(value.width)} × ${String(value.height)}` : ''
  const rows = value._type === 'table' && value.rows !== undefined ? ` ${counted(Number(value.rows), 'row')}` : ''
  const file =
    value._type === 'file' ? `${value.name ? ` ${String(value.name)}` : ''} (${bytes(Number(value.size))})` : ''
  return `${value._type}${size}${rows}${file}`
}
