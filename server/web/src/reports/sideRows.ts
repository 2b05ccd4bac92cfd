import type { PatchLine } from '../run/code/patch'

/** One row of a side-by-side comparison: what stood there before and after; null if there is nothing on that side. */
export interface SideRow {
  before: PatchLine | null
  after: PatchLine | null
}

/** Pair the lines of a comparison: removed lines stand beside the added ones that follow them. */
export function sideRows(lines: PatchLine[]): SideRow[] {
  const rows: SideRow[] = []
  let removed: PatchLine[] = []
  let added: PatchLine[] = []
  const end = () => {
    for (let i = 0; i < Math.max(removed.length, added.length); i++)
      rows.push({ before: removed[i] ?? null, after: added[i] ?? null })
    removed = []
    added = []
  }
  for (const line of lines) {
    if (line.kind === 'removed') {
      if (added.length) end()
      removed.push(line)
    } else if (line.kind === 'added') added.push(line)
    else {
      end()
      rows.push({ before: line, after: line })
    }
  }
  end()
  return rows
}
