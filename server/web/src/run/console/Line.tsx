import css from './Line.module.css'
import { WHITE } from '../../tokens'
import { memo, type CSSProperties } from 'react'
import { count } from '../../lib/format'
import { parse, plain, type Color, type Span } from './ansi'
import { cut, marksIn, type Mark } from './searchMarks'
import type { ConsoleLine } from './useConsole'

interface Props {
  number: number
  line: ConsoleLine | undefined
  /** The time to show beside it */
  time: string | null
  pattern: RegExp | null
  current: boolean
}

/** Show one line with its colors, matches marked. */
export const Line = memo(function Line({ number, line, time, pattern, current }: Props) {
  const kind = `${css.line} ${line?.stream === 'stderr' ? css.stderr : ''} ${current ? css.current : ''}`
  return (
    <div className={kind}>
      <span className={css.number} aria-hidden>
        {count(number + 1)}
      </span>
      {time !== null && <span className={css.time}>{time}</span>}
      <span className={css.text}>{line && partsOf(line.text, pattern)}</span>
    </div>
  )
})

/** A match may begin in one color and end in another. */
function partsOf(text: string, pattern: RegExp | null) {
  const marks = pattern ? marksIn(plain(text), pattern) : []
  let from = 0
  return parse(text).map((span) => {
    const part = <Part key={from} span={span} from={from} marks={marks} />
    from += span.text.length
    return part
  })
}

function Part({ span, from, marks }: { span: Span; from: number; marks: Mark[] }) {
  const [drawn, bg] = span.inverse ? [span.bg ?? 'back', span.fg ?? 'fore'] : [span.fg, span.bg]
  // In the light theme, white text is shown dark, except on a background that the program chose.
  const fg = !span.inverse && bg !== null && (drawn === 7 || drawn === 15) ? WHITE : drawn
  const styles = (['bold', 'dim', 'italic', 'underline', 'strike'] as const).filter((name) => span[name])
  const style: CSSProperties = { color: paint(fg), backgroundColor: paint(bg) }
  const unstyled = fg === null && bg === null && !styles.length
  const text = marks.length
    ? cut(span.text, from, marks).map(({ text, marked }, i) => (marked ? <mark key={i}>{text}</mark> : text))
    : span.text
  return unstyled ? (
    <span>{text}</span>
  ) : (
    <span className={styles.map((name) => css[name]).join(' ')} style={style}>
      {text}
    </span>
  )
}

function paint(colour: Color): string | undefined {
  if (colour === null) return undefined
  if (typeof colour === 'number') return `var(--ansi-${colour})`
  return colour === 'back' || colour === 'fore' ? `var(--ansi-${colour})` : colour
}
