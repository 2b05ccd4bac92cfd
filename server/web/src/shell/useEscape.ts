import { useEffect } from 'react'

/**
 * Let Escape close what is open, wherever the focus is. A dropdown hears only keys that are pressed inside it, and the
 * focus goes there a moment after it has opened: a key pressed meanwhile would be lost.
 */
export function useEscape() {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || !event.isTrusted) return
      const open = [...document.querySelectorAll('.mantine-Popover-dropdown, .mantine-Menu-dropdown')]
      const last = open.at(-1)
      if (!last || open.some((one) => event.target instanceof Node && one.contains(event.target))) return
      last.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }))
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [])
}
