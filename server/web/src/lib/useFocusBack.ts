import { useEffect, useState } from 'react'

/**
 * On leaving, gives the focus back to what had it, and if that is gone to what `otherwise` selects. For
 * dialogs that are open from the start: Mantine's own way back knows only those that are opened later.
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

/** An item of a menu goes with its menu; what opened that stays. */
function opener(element: Element | null): HTMLElement | null {
  const menu = element?.closest('[role=menu]')
  return menu
    ? document.querySelector<HTMLElement>(`[aria-controls="${CSS.escape(menu.id)}"]`)
    : (element as HTMLElement | null)
}
