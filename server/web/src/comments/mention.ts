/** Finds and completes `@name` in a text. */

const TYPED = /(^|[^\p{L}\p{N}_@])@([\p{L}\p{N}_.-]*)$/u

/** Return what was typed of a mention that ends at the caret, and where its `@` is; null if there is none. */
export function typedMention(text: string, caret: number): { from: number; typed: string } | null {
  const found = TYPED.exec(text.slice(0, caret))
  if (!found) return null
  const typed = found[2]!
  return { from: caret - typed.length - 1, typed }
}

/** Replace the typed part by a name. Returns the text and the caret after it. */
export function completed(text: string, caret: number, from: number, name: string): { text: string; caret: number } {
  const rest = text.slice(caret)
  const put = `@${name}${rest.startsWith(' ') ? '' : ' '}`
  return { text: text.slice(0, from) + put + rest, caret: from + put.length }
}
