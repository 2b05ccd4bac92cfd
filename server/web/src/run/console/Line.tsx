import { memo, type CSSProperties } from 'react'
import { count } from '../../lib/format'
import { parse, type Colour, type Span } from './ansi'
import type { ConsoleLine } from './useConsole'

interface Props {
  number: number
  line: ConsoleLine | undefined
  /** The time to show beside it */
  time: string | null
  pattern: RegExp | null
  current: boolean
}

/** One line with its colours; what the search looks for is marked. */
export const Line = memo(function Line({ number, line, time, pattern, current }: Props) {
  const kind = `console-line${line?.stream === 'stderr' ? ' console-stderr' : ''}${current ? ' console-current' : ''}`
  return (
    <div className={kind}>
      <span className="console-number" aria-hidden>
        {count(number + 1)}
      </span>
      {time !== null && <span className="console-time">{time}</span>}
      <span className="console-text">
        {line && parse(line.text).map((span, i) => <Part key={i} span={span} pattern={pattern} />)}
      </span>
    </div>
  )
})

function Part({ span, pattern }: { span: Span; pattern: RegExp | null }) {
  const [drawn, bg] = span.inverse ? [span.bg ?? 'back', span.fg ?? 'fore'] : [span.fg, span.bg]
  // The theme's white is dark on light paper; on a background of the program's own it is white.
  const fg = !span.inverse && bg !== null && (drawn === 7 || drawn === 15) ? 'rgb(255, 255, 255)' : drawn
  const styles = (['bold', 'dim', 'italic', 'underline', 'strike'] as const).filter((name) => span[name])
  const style: CSSProperties = { color: css(fg), backgroundColor: css(bg) }
  const plain = fg === null && bg === null && !styles.length
  const text = pattern ? marked(span.text, pattern) : span.text
  return plain ? <span>{text}</span> : <span className={styles.map((name) => `ansi-${name}`).join(' ')} style={style}>{text}</span>
}

function css(colour: Colour): string | undefined {
  if (colour === null) return undefined
  if (typeof colour === 'number') return `var(--ansi-${colour})`
  return colour === 'back' || colour === 'fore' ? `var(--ansi-${colour})` : colour
}

function marked(text: string, pattern: RegExp) {
  const parts = []
  let at = 0
  for (const found of text.matchAll(pattern)) {
    if (!found[0]) break // a pattern that matches nothing marks nothing
    parts.push(text.slice(at, found.index), <mark key={found.index}>{found[0]}</mark>)
    at = found.index + found[0].length
  }
  parts.push(text.slice(at))
  return parts
}
