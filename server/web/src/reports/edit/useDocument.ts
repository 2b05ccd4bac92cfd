import { useCallback, useEffect, useMemo, useReducer } from 'react'
import { begin, change, redo, undo, type History } from '../../view/undoHistory'
import { isTyping } from '../../view/useView'
import type { Content } from '../blocks'

type Action =
  | { do: 'change'; of: (now: Content) => Content; what: string | null; at: number }
  | { do: 'undo' }
  | { do: 'redo' }

function reduce(history: History<Content>, action: Action): History<Content> {
  if (action.do === 'undo') return undo(history)
  if (action.do === 'redo') return redo(history)
  return change(history, action.of(history.now), action.what, action.at)
}

export interface Document {
  content: Content
  /** Change the content. Quick changes with the same `what`, such as typing in a block, are one undo step. */
  change: (of: (now: Content) => Content, what?: string | null) => void
  undo: () => void
  redo: () => void
  canUndo: boolean
  canRedo: boolean
}

/** The content that is being edited, with undo. Ctrl+Z outside of text fields undoes; in them the browser does. */
export function useDocument(start: Content): Document {
  const [history, dispatch] = useReducer(reduce, start, begin<Content>)
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const { ctrlKey, metaKey, altKey, key, target } = event
      if (!(ctrlKey || metaKey) || altKey || key.toLowerCase() !== 'z' || isTyping(target)) return
      event.preventDefault()
      dispatch({ do: event.shiftKey ? 'redo' : 'undo' })
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [])
  const changing = useCallback(
    (of: (now: Content) => Content, what: string | null = null) => dispatch({ do: 'change', of, what, at: Date.now() }),
    [],
  )
  const { now, past, future } = history
  return useMemo(
    () => ({
      ...{ content: now, change: changing, canUndo: past.length > 0, canRedo: future.length > 0 },
      undo: () => dispatch({ do: 'undo' }),
      redo: () => dispatch({ do: 'redo' }),
    }),
    [now, changing, past.length, future.length],
  )
}
