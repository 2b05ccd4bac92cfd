import { useEffect, useState } from 'react'

/**
 * On unmount, return the focus to the element that had it, or if that is gone, to the one that `otherwise` selects. For
 * dialogs that are mounted open: Mantine returns the focus only for those that are opened later.
 */
export function useFocusBack(otherwise: string) {
  const [before] = useState(() => opener(document.activeElement))
  useEffect(
    () => () =>
      void setTimeout(() => {
        const to = before?.isConnected ? before : document.querySelector<HTMLElement>(otherwise)
        to?.focus()
      }),
    [before, otherwise],
  )
}

/** For a menu item, which disappears with its menu, return the element that opened the menu. */
function opener(element: Element | null): HTMLElement | null {
  const menu = element?.closest('[role=menu]')
  return menu
    ? document.querySelector<HTMLElement>(`[aria-controls="${CSS.escape(menu.id)}"]`)
    : (element as HTMLElement | null)
}
