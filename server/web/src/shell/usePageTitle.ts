import { useEffect } from 'react'
import { strings } from '../strings'

/** Set the window's title, the most specific part first. */
export function usePageTitle(...parts: (string | undefined)[]) {
  const title = [...parts.filter(Boolean), strings.product].join(' · ')
  useEffect(() => {
    document.title = title
  }, [title])
}
