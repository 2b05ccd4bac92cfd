import type { Hunk, PatchLine } from '../run/code/patch'

/** Most differences to search for, since time grows with their square. Beyond it, all lines are removed and added. */
const MOST_EDITS = 2000
const CONTEXT = 3

/** Return the fewest removed and added lines that turn one list of lines into another (Myers 1986). */
export function diffLines(before: string[], after: string[]): PatchLine[] {
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start++
  let end = 0
  const left = Math.min(before.length, after.length) - start
  while (end < left && before.at(-1 - end) === after.at(-1 - end)) end++
  const middle = removedFirst(edits(before.slice(start, before.length - end), after.slice(start, after.length - end)))
  const lines: PatchLine[] = []
  let [b, a] = [0, 0]
  const add = (kind: PatchLine['kind']) => {
    const text = kind === 'added' ? after[a]! : before[b]!
    lines.push({ kind, text, before: kind === 'added' ? null : ++b, after: kind === 'removed' ? null : ++a })
  }
  for (let i = 0; i < start; i++) add('same')
  middle.forEach(add)
  for (let i = 0; i < end; i++) add('same')
  return lines
}

type Kind = 'same' | 'added' | 'removed'

/** Put removed lines before added ones between two unchanged lines. */
function removedFirst(kinds: Kind[]): Kind[] {
  const ordered: Kind[] = []
  let added = 0
  const endRun = () => {
    for (; added > 0; added--) ordered.push('added')
  }
  for (const kind of kinds) {
    if (kind === 'added') added++
    else {
      if (kind === 'same') endRun()
      ordered.push(kind)
    }
  }
  endRun()
  return ordered
}

function edits(before: string[], after: string[]): Kind[] {
  const [n, m] = [before.length, after.length]
  const whole = (): Kind[] => [...Array<Kind>(n).fill('removed'), ...Array<Kind>(m).fill('added')]
  if (!n || !m) return whole()
  const most = Math.min(n + m, MOST_EDITS)
  // For each number of edits, how far each diagonal (lines added minus lines removed) reaches in `after`.
  const reached: Int32Array[] = []
  let now = new Int32Array(2 * most + 3)
  for (let d = 0; d <= most; d++) {
    const next = now.slice()
    for (let k = -d; k <= d; k += 2) {
      const at = k + most + 1
      const down = k === -d || (k !== d && now[at - 1]! < now[at + 1]!)
      let x = down ? now[at + 1]! : now[at - 1]! + 1
      while (x < m && x - k < n && x - k >= 0 && after[x] === before[x - k]) x++
      next[at] = x
      if (x >= m && x - k >= n) return walked(reached, now, d, k, m, n, most)
    }
    reached.push(now)
    now = next
  }
  return whole()
}

/** Trace the path back from the end. */
function walked(
  reached: Int32Array[],
  last: Int32Array,
  edits: number,
  diagonal: number,
  m: number,
  n: number,
  most: number,
): Kind[] {
  const kinds: Kind[] = []
  let [x, y, k] = [m, n, diagonal]
  for (let d = edits; d >= 0; d--) {
    const from = d === edits ? last : reached[d]!
    const at = k + most + 1
    const down = k === -d || (k !== d && from[at - 1]! < from[at + 1]!)
    const before = d === 0 ? { x: 0, y: 0, k: 0 } : origin(from, down ? k + 1 : k - 1, most)
    const edit = d === 0 ? { x: 0, y: 0 } : down ? { x: before.x, y: before.y + 1 } : { x: before.x + 1, y: before.y }
    while (x > edit.x && y > edit.y) {
      kinds.push('same')
      x--
      y--
    }
    if (d > 0) kinds.push(down ? 'removed' : 'added')
    ;({ x, y, k } = before)
  }
  return kinds.reverse()
}

function origin(reached: Int32Array, k: number, most: number) {
  const x = reached[k + most + 1]!
  return { x, y: x - k, k }
}

/** Return the changed lines with some context. */
export function hunksOf(lines: PatchLine[]): Hunk[] {
  const hunks: Hunk[] = []
  let until = -1
  lines.forEach((line, i) => {
    if (line.kind === 'same') return
    const from = Math.max(until + 1, i - CONTEXT)
    const end = Math.min(lines.length - 1, i + CONTEXT)
    if (!hunks.length || from > until + 1) hunks.push({ header: '', lines: [] })
    hunks.at(-1)!.lines.push(...lines.slice(from, end + 1))
    until = Math.max(until, end)
  })
  for (const hunk of hunks) {
    const first = (side: 'before' | 'after') => hunk.lines.find((line) => line[side] !== null)?.[side] ?? 0
    const count = (side: 'before' | 'after') => hunk.lines.filter((line) => line[side] !== null).length
    hunk.header = `@@ -${first('before')},${count('before')} +${first('after')},${count('after')} @@`
  }
  return hunks
}
