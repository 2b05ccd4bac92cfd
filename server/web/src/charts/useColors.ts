import { useComputedColorScheme } from '@mantine/core'
import { useEffect, useState } from 'react'

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
