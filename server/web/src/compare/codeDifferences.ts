import { parsePatch } from '../run/code/patch'
import { textOf } from '../run/files/fileContent'

/** A captured code file of a run. */
export interface CodeFile {
  name: string
  content: Uint8Array
}

/** The lines of a file in two runs; null if a run lacks it. */
export interface FileDifference {
  name: string
  before: string[] | null
  after: string[] | null
  binary: boolean
}

const BINARY = 'binary'

/** Split a patch into one entry for each file that it changes. */
function textsOf(files: CodeFile[]): Map<string, string[] | typeof BINARY> {
  const texts = new Map<string, string[] | typeof BINARY>()
  for (const { name, content } of files) {
    if (name !== 'diff.patch') {
      const text = textOf(content, false)
      texts.set(name, text === null ? BINARY : linesOf(text))
      continue
    }
    for (const file of parsePatch(new TextDecoder().decode(content))) {
      // Skip the index line: it holds hashes, which differ whenever anything does.
      const lines = linesOf(file.text).filter((line) => !line.startsWith('index '))
      texts.set(`diff.patch: ${file.path}`, file.binary ? BINARY : lines)
    }
  }
  return texts
}

const linesOf = (text: string): string[] => text.replace(/\n$/, '').split('\n')

/** Return the files that differ, sorted by name. */
export function codeDifferences(before: CodeFile[], after: CodeFile[]): FileDifference[] {
  const [first, second] = [textsOf(before), textsOf(after)]
  return [...new Set([...first.keys(), ...second.keys()])].sort().flatMap((name) => {
    const [a, b] = [first.get(name), second.get(name)]
    const binary = a === BINARY || b === BINARY
    if (!binary && a && b && (a as string[]).join('\n') === (b as string[]).join('\n')) return []
    const lines = (side: typeof a) => (side === undefined ? null : side === BINARY ? [] : side)
    return [{ name, before: lines(a), after: lines(b), binary }]
  })
}
