import { useEffect } from 'react'

/**
 * Let Escape close what is open, wherever the focus is. A dropdown hears only keys that are pressed inside it, and the
 * focus goes there a moment after it has opened: a key pressed meanwhile would be lost.
 */
export function useEscape() {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || !event.isTrusted || !(event.target instanceof Element)) return
      if (event.target.getAttribute(OWN) === 'true') return // a field with a dropdown of its own, which it closes
      const open = [...document.querySelectorAll('.mantine-Popover-dropdown, .mantine-Menu-dropdown')]
      const last = open.at(-1)
      if (!last || open.some((one) => one.contains(event.target as Element))) return
      const own = last.getAttribute(OWN)
      last.setAttribute(OWN, 'true') // or the dialog around it would close, too
      last.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }))
      if (own === null) last.removeAttribute(OWN)
    }
    // Before anybody has closed something: a field's attribute is gone when its dropdown is.
    window.addEventListener('keydown', onKey, { capture: true })
    return () => window.removeEventListener('keydown', onKey, { capture: true })
  }, [])
}

/** Where it is "true", Mantine's dialogs leave Escape alone. */
const OWN = 'data-mantine-stop-propagation'
