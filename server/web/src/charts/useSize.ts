import { useEffect, useRef, useState } from 'react'

/** Return the current width and height of an element in whole pixels; 0 before it is laid out. */
export function useSize<T extends HTMLElement>() {
  const ref = useRef<T>(null)
  const [size, setSize] = useState({ width: 0, height: 0 })
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => {
      const { width, height } = entry!.contentRect
      setSize((before) => {
        const now = { width: Math.floor(width), height: Math.floor(height) }
        return before.width === now.width && before.height === now.height ? before : now
      })
    })
    observer.observe(ref.current!)
    return () => observer.disconnect()
  }, [])
  return { ref, ...size }
}
