/** Parses the output of `git diff`. */

export interface PatchLine {
  kind: 'same' | 'added' | 'removed' | 'note'
  text: string
  /** Old and new line number; null if the line is not there */
  before: number | null
  after: number | null
}

export interface Hunk {
  header: string
  lines: PatchLine[]
}

export interface FilePatch {
  /** The current path; of a deleted file, the last one */
  path: string
  /** The path before a rename */
  from: string | null
  change: 'changed' | 'new' | 'deleted' | 'renamed'
  binary: boolean
  added: number
  removed: number
  hunks: Hunk[]
  /** The text of this part of the patch */
  text: string
}

/** Parse a patch into its files, in order. Text before the first file is skipped. */
export function parsePatch(patch: string): FilePatch[] {
  const files: FilePatch[] = []
  for (const part of patch.split(/^(?=diff --git )/m)) {
    if (part.startsWith('diff --git ')) files.push(parseFile(part))
  }
  return files
}

function parseFile(text: string): FilePatch {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  const firstHunk = lines.findIndex((line) => line.startsWith('@@'))
  const head = firstHunk < 0 ? lines : lines.slice(0, firstHunk)
  const after = (start: string) => head.find((line) => line.startsWith(start))?.slice(start.length)
  const before = named(after('rename from ') ?? after('--- '))
  const now = named(after('rename to ') ?? after('+++ '))
  const hunks = firstHunk < 0 ? [] : parseHunks(lines.slice(firstHunk))
  const all = hunks.flatMap((hunk) => hunk.lines)
  return {
    path: now ?? before ?? titled(head[0]!),
    from: before && now && before !== now ? before : null,
    change: changeOf(head),
    binary: head.some((line) => line.startsWith('GIT binary patch') || line.startsWith('Binary files ')),
    added: all.filter((line) => line.kind === 'added').length,
    removed: all.filter((line) => line.kind === 'removed').length,
    hunks,
    text,
  }
}

function changeOf(head: string[]): FilePatch['change'] {
  if (head.some((line) => line.startsWith('new file'))) return 'new'
  if (head.some((line) => line.startsWith('deleted file'))) return 'deleted'
  return head.some((line) => line.startsWith('rename to')) ? 'renamed' : 'changed'
}

/** `a/x.py`, `"a/\303\244.py"` → the path; null for /dev/null */
function named(text: string | undefined): string | null {
  if (text === undefined) return null
  const path = unquoted(text.replace(/\t$/, ''))
  return path === '/dev/null' ? null : path.replace(/^[ab]\//, '')
}

/** Parse the path from the first line, where it stands twice: files without content lines have it only there. */
function titled(line: string): string {
  const both = line.slice('diff --git '.length)
  const quoted = /"b\/(?:[^"\\]|\\.)*"$/.exec(both)
  if (quoted) return named(quoted[0])!
  const half = both.slice((both.length + 1) / 2)
  return half.startsWith('b/') ? half.slice(2) : both
}

const ESCAPES: Record<string, number> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13 }

/** Decode a path that git has quoted, with its bytes in octal. */
function unquoted(text: string): string {
  if (!text.startsWith('"') || !text.endsWith('"')) return text
  const bytes: number[] = []
  for (const [, octal, letter, other] of text.slice(1, -1).matchAll(/\\([0-7]{3})|\\(.)|([^\\]+)/gs)) {
    if (octal) bytes.push(parseInt(octal, 8))
    else if (letter) bytes.push(ESCAPES[letter] ?? letter.charCodeAt(0))
    else bytes.push(...new TextEncoder().encode(other))
  }
  return new TextDecoder().decode(new Uint8Array(bytes))
}

function parseHunks(lines: string[]): Hunk[] {
  const hunks: Hunk[] = []
  let before = 0
  let after = 0
  for (const line of lines) {
    const start = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/.exec(line)
    if (start) {
      before = Number(start[1])
      after = Number(start[2])
      hunks.push({ header: line, lines: [] })
      continue
    }
    const into = hunks.at(-1)?.lines
    if (!into) continue
    const text = line.slice(1)
    if (line.startsWith('+')) into.push({ kind: 'added', text, before: null, after: after++ })
    else if (line.startsWith('-')) into.push({ kind: 'removed', text, before: before++, after: null })
    else if (line.startsWith('\\')) into.push({ kind: 'note', text, before: null, after: null })
    else into.push({ kind: 'same', text, before: before++, after: after++ })
  }
  return hunks
}
