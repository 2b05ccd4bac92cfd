import { useEffect } from 'react'

/**
 * Let Escape close the open dropdown, wherever the focus is. Dropdowns handle only keys inside them, but the focus
 * moves there a moment after they open, so a key pressed meanwhile would be lost.
 */
export function useEscape() {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || !event.isTrusted || !(event.target instanceof Element)) return
      if (event.target.getAttribute(OWN) === 'true') return // a field that closes its own dropdown
      const open = [...document.querySelectorAll('.mantine-Popover-dropdown, .mantine-Menu-dropdown')]
      const last = open.at(-1)
      if (!last || open.some((one) => one.contains(event.target as Element))) return
      const own = last.getAttribute(OWN)
      last.setAttribute(OWN, 'true') // so that a dialog around it stays open
      last.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }))
      if (own === null) last.removeAttribute(OWN)
    }
    // Capture, to run before other handlers: a field loses the attribute when its dropdown closes.
    window.addEventListener('keydown', onKey, { capture: true })
    return () => window.removeEventListener('keydown', onKey, { capture: true })
  }, [])
}

/** If it is "true", Mantine's dialogs ignore Escape. */
const OWN = 'data-mantine-stop-propagation'
