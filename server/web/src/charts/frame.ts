import { useComputedColorScheme } from '@mantine/core'
import { useEffect, useRef, useState } from 'react'

/** Width and height of an element in whole pixels, kept up to date; 0 before it is laid out. */
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

/** The colours of the theme that canvases draw with. */
export function useColors() {
  const scheme = useComputedColorScheme('light')
  const [colors, setColors] = useState(() => readColors())
  useEffect(() => setColors(readColors()), [scheme])
  return { scheme, ...colors }
}

function readColors() {
  const style = getComputedStyle(document.documentElement)
  const read = (name: string) => style.getPropertyValue(name).trim()
  return { text: read('--mantine-color-dimmed'), strong: read('--mantine-color-text'), grid: read('--grid'), panel: read('--panel') }
}
