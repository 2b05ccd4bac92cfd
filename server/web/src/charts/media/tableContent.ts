/** The content of a logged table. */
export interface TableContent {
  columns: string[]
  data: unknown[][]
}

/** Parse a content as a table; if it is none, return a table without columns. */
export function tableOf(content: unknown): TableContent {
  const { columns, data } = (content ?? {}) as Partial<TableContent>
  if (!Array.isArray(columns) || !Array.isArray(data)) return { columns: [], data: [] }
  return { columns: columns.map(String), data: data.filter(Array.isArray) }
}

/** Return the rows with a text in any cell, sorted by a column: numbers by value, everything else as text. */
export function arranged(
  { columns, data }: TableContent,
  search: string,
  sort: { column: string; descending: boolean } | null,
): unknown[][] {
  const wanted = search.toLowerCase()
  const rows = wanted ? data.filter((row) => row.some((cell) => textOf(cell).toLowerCase().includes(wanted))) : data
  const at = sort ? columns.indexOf(sort.column) : -1
  if (!sort || at < 0) return rows
  const sign = sort.descending ? -1 : 1
  return [...rows].sort((a, b) => {
    const [x, y] = [a[at], b[at]]
    if (typeof x === 'number' && typeof y === 'number') return sign * (x - y || 0)
    // Empty cells come last in either direction.
    if (x == null || y == null) return Number(x == null) - Number(y == null)
    return sign * textOf(x).localeCompare(textOf(y), 'en', { numeric: true })
  })
}

export const textOf = (cell: unknown): string => {
  if (cell === null || cell === undefined) return ''
  if (typeof cell !== 'object') return String(cell)
  const { _type: type, caption, value } = cell as { _type?: string; caption?: string; value?: string }
  return type ? (caption ?? value ?? type) : JSON.stringify(cell)
}
