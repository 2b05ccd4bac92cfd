import './markdown.css'

import { useRouter } from '@tanstack/react-router'
import { useMemo, type MouseEvent, type ReactNode } from 'react'
import { partsOf } from './parts'
import { sanitize } from './sanitize'

/** Markdown of users, made harmless. `panel` shows what stands in a block that is fenced as a panel. */
export function Markdown({ text, panel }: { text: string; panel?: (source: string) => ReactNode }) {
  const router = useRouter()
  const parts = useMemo(
    () => partsOf(text).map((part) => (part.kind === 'text' ? { ...part, html: sanitize(part.html) } : part)),
    [text],
  )
  // Links to other views go there without loading the page anew.
  const follow = (event: MouseEvent) => {
    const link = (event.target as Element).closest('a')
    if (!link || link.target || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return
    if (link.origin !== window.location.origin || link.pathname.startsWith('/api/')) return
    event.preventDefault()
    router.history.push(link.pathname + link.search + link.hash)
  }
  return (
    <div className="markdown" onClick={follow}>
      {parts.map((part, i) =>
        part.kind === 'text' ? (
          <div key={i} dangerouslySetInnerHTML={{ __html: part.html }} />
        ) : (
          <div key={i}>{panel ? panel(part.source) : <pre>{part.source}</pre>}</div>
        ),
      )}
    </div>
  )
}
