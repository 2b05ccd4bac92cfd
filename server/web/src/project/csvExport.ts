import type { Place } from '../api/paths'
import { fetchTable, type Selection } from '../api/table'

/** The server's limits of one answer: rows, and values. */
const MOST = 10_000
const VALUES = 1_000_000

/**
 * Format a cell for spreadsheets. Text that they would run as a formula gets an apostrophe in front, since anybody who
 * logs chooses names, tags and config. Numbers stay numbers.
 */
export function cell(item: unknown): string {
  if (item === null || item === undefined) return ''
  if (typeof item === 'number' || typeof item === 'boolean' || typeof item === 'bigint') return String(item)
  const plain =
    typeof item === 'string'
      ? item
      : Array.isArray(item)
        ? item.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join(', ')
        : JSON.stringify(item)
  const text = /^[\s]*[=+\-@\t\r|%]/.test(plain) ? `'${plain}` : plain
  return /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text
}

export const csvOf = (names: string[], rows: unknown[][]): string =>
  [names, ...rows].map((row) => row.map(cell).join(',') + '\r\n').join('')

/** Return all matching runs as CSV, in the order of the table. Times are ISO 8601, UTC. */
export async function fetchCsv(
  place: Place,
  selection: Selection,
  columns: string[],
  times: ReadonlySet<string>,
): Promise<string> {
  const rows: unknown[][] = []
  const limit = Math.min(MOST, Math.floor(VALUES / Math.max(1, columns.length)))
  for (;;) {
    const page = await fetchTable(place, { ...selection, columns, offset: rows.length, limit })
    page.runs.forEach((id, i) => {
      rows.push([id, ...columns.map((name) => written(page.columns[name]?.[i], times.has(name)))])
    })
    if (page.runs.length < limit) return csvOf(['id', ...columns], rows)
  }
}

function written(item: unknown, time: boolean): unknown {
  if (!time || typeof item !== 'number') return item
  return item ? new Date(item * 1000).toISOString() : null // 0 is no time
}
