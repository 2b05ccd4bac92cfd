import { useComputedColorScheme } from '@mantine/core'
import { useEffect, useMemo, useState } from 'react'

/** Return the theme's colors for drawing on canvases. */
export function useColors() {
  const scheme = useComputedColorScheme('light')
  const [colors, setColors] = useState(() => readColors())
  // biome-ignore lint/correctness/useExhaustiveDependencies: the colors of the document change with the theme
  useEffect(() => setColors(readColors()), [scheme])
  return useMemo(() => ({ scheme, ...colors }), [scheme, colors])
}

function readColors() {
  const style = getComputedStyle(document.documentElement)
  const read = (name: string) => style.getPropertyValue(name).trim()
  return {
    text: read('--mantine-color-dimmed'),
    strong: read('--mantine-color-text'),
    grid: read('--grid'),
    panel: read('--panel'),
  }
}
