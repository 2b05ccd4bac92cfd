import { useEffect, useState } from 'react'

/** Return the Unix time, updated each second while `ticking`. */
export function useNow(ticking: boolean): number {
  const [now, setNow] = useState(() => Date.now() / 1000)
  useEffect(() => {
    if (!ticking) return
    const timer = setInterval(() => {
      if (!document.hidden) setNow(Date.now() / 1000)
    }, 1000)
    return () => clearInterval(timer)
  }, [ticking])
  return now
}
