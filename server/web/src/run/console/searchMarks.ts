/** Ranges of a text, from the first character to the one after the last. */
export type Mark = [from: number, to: number]

/** Return the ranges that a pattern (with `g`) matches, without empty ones. */
export function marksIn(text: string, pattern: RegExp): Mark[] {
  const marks: Mark[] = []
  for (const found of text.matchAll(pattern)) if (found[0]) marks.push([found.index, found.index + found[0].length])
  return marks
}

/** Split a part of the text that begins at `from` into pieces, each marked or not. */
export function cut(part: string, from: number, marks: Mark[]): { text: string; marked: boolean }[] {
  const pieces: { text: string; marked: boolean }[] = []
  let at = 0
  const add = (to: number, marked: boolean) => {
    if (to > at) pieces.push({ text: part.slice(at, to), marked })
    at = Math.max(at, to)
  }
  for (const [start, end] of marks) {
    if (end <= from || start >= from + part.length) continue
    add(start - from, false)
    add(Math.min(end - from, part.length), true)
  }
  add(part.length, false)
  return pieces
}
