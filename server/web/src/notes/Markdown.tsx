import css from './Markdown.module.css'

import { ROOT } from '../api/session'
import { useRouter } from '@tanstack/react-router'
import { useMemo, type MouseEvent, type ReactNode } from 'react'
import { partsOf } from './noteParts'
import { sanitize } from './sanitize'

interface Props {
  text: string
  /** Shows the content of a fenced `panel` block */
  panel?: (source: string) => ReactNode
  /** Level of the heading above it */
  under?: number
}

/** Return the sanitized parts of the text; null if it is nested too deeply to parse. */
function madeOf(text: string, under: number) {
  try {
    return partsOf(text, under).map((part) => (part.kind === 'text' ? { ...part, html: sanitize(part.html) } : part))
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

/** Show users' Markdown, sanitized. */
export function Markdown({ text, panel, under = 2 }: Props) {
  const router = useRouter()
  const parts = useMemo(() => madeOf(text, under), [text, under])
  if (parts === null)
    return (
      <pre className={`${css.markdown} wrap`} data-markdown>
        {text}
      </pre>
    )
  // Follow links within the dashboard without reloading the page.
  const follow = (event: MouseEvent) => {
    const link = (event.target as Element).closest('a')
    if (!link || link.target || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return
    if (link.origin !== window.location.origin || link.pathname.startsWith(`${ROOT}/api/`)) return
    event.preventDefault()
    router.history.push(link.pathname + link.search + link.hash)
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it handles clicks on links inside, which the keyboard reaches too
    // biome-ignore lint/a11y/useKeyWithClickEvents: Enter on a link is a click
    <div className={css.markdown} data-markdown onClick={follow}>
      {parts.map((part, i) =>
        part.kind === 'text' ? (
          // biome-ignore lint/security/noDangerouslySetInnerHtml: sanitized by sanitize.ts
          <div key={i} dangerouslySetInnerHTML={{ __html: part.html }} />
        ) : (
          <div key={i}>{panel ? panel(part.source) : <pre>{part.source}</pre>}</div>
        ),
      )}
    </div>
  )
}
