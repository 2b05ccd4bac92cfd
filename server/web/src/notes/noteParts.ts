import { Marked, type Token } from 'marked'

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

/** HTML in the text is shown as text: even parsing it would violate the content policy. */
const marked = new Marked({
  renderer: { html: ({ text }) => text.replace(/[&<>]/g, (character) => ESCAPES[character]!) },
})

const DEEPEST = 20
const MARK = String.raw`(?:[-*+]|\d{1,9}[.)])[ \t]+`

/** Deepest nesting of quotes and lists: parsing reads the content of each level again. */
const shallow = (markdown: string): string =>
  markdown
    .replace(new RegExp(`^((?:[ \\t]{0,3}>){${DEEPEST}})[ \\t>]*`, 'gm'), '$1 ')
    .replace(new RegExp(`^([ \\t]*(?:${MARK}){${DEEPEST}})(?:${MARK})*`, 'gm'), '$1')
    .replace(/^[ \t]{100,}/gm, (indent) => indent.slice(0, 100))

/** Split notes into text and live panels. */
export type Part = { kind: 'text'; html: string } | { kind: 'panel'; source: string }

/**
 * Return, in order, the HTML of the text, not yet sanitized, and the content of blocks fenced as `panel`. Headings of
 * the text move down by `below` levels, since the page around it has headings.
 */
export function partsOf(markdown: string, below = 0): Part[] {
  const parts: Part[] = []
  let text: Token[] = []
  const endText = () => {
    if (text.length) parts.push({ kind: 'text', html: marked.parser(text) })
    text = []
  }
  for (const token of marked.lexer(shallow(markdown))) {
    if (token.type === 'code' && token.lang?.trim() === 'panel') {
      endText()
      parts.push({ kind: 'panel', source: token.text as string })
    } else if (token.type === 'heading') text.push({ ...token, depth: Math.min(6, (token.depth as number) + below) })
    else text.push(token)
  }
  endText()
  return parts
}
