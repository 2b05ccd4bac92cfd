import { useEffect, useRef } from 'react'
import { isTyping } from '../view/useView'

/** Call `act` when a character is typed outside a text field, whatever the keyboard layout. */
export function useKey(character: string, act: () => void) {
  const latest = useRef(act)
  latest.current = act
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== character || event.ctrlKey || event.metaKey || event.defaultPrevented || isTyping(event.target))
        return
      event.preventDefault()
      latest.current()
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [character])
}
