import { useEffect } from 'react'
import { strings } from '../strings'

/** Name the page in the window's title, the most particular part first. */
export function usePageTitle(...parts: (string | undefined)[]) {
  const title = [...parts.filter(Boolean), strings.product].join(' · ')
  useEffect(() => {
    document.title = title
  }, [title])
}
