import { useCallback, useEffect, useMemo, useReducer, useRef } from 'react'
import * as address from './longViews'
import { decodeView, encodeView } from './codec'
import { begin, change, redo, undo, type History } from './undoHistory'
import type { ChartsView, ColumnsView, View } from './view'

export interface ViewControl {
  view: View
  /** Change members. Quick changes of a typed or dragged member are one undo step, each other change is its own. */
  set: (members: Partial<View>) => void
  setColumns: (members: Partial<ColumnsView>) => void
  setCharts: (members: Partial<ChartsView>) => void
  /** Replace the whole view, such as by a saved one. The browser's back button returns to this one. */
  open: (view: View) => void
  undo: () => void
  redo: () => void
  canUndo: boolean
  canRedo: boolean
}

/** Members that change continuously, while typing or dragging. */
const GRADUAL = new Set(['filter', 'search', 'split', 'widths', 'smoothing', 'limit', 'zoom'])

type Action =
  | { do: 'change'; of: (view: View) => View; what: string | null; at: number }
  | { do: 'undo' }
  | { do: 'redo' }

function reduce(history: History<View>, action: Action): History<View> {
  if (action.do === 'undo') return undo(history)
  if (action.do === 'redo') return redo(history)
  return change(history, action.of(history.now), action.what, action.at)
}

const WRITE_AFTER_MS = 200

/**
 * The view in the address, and its undo history while the page is open. `written` is the router's search parameter;
 * `write` sets it, replacing the entry in the browser's history unless `push` is true.
 */
export function useView(written: unknown, write: (view: unknown, push: boolean) => void): ViewControl {
  const [history, dispatch] = useReducer(reduce, written, (text) => begin(decodeView(address.read(text))))
  const view = history.now
  const inAddress = useRef(JSON.stringify(encodeView(view)))
  const push = useRef(false)
  const writer = useRef(write)
  writer.current = write

  // The address changed from elsewhere: a link within the page, or back and forward.
  useEffect(() => {
    const arrived = decodeView(address.read(written))
    const text = JSON.stringify(encodeView(arrived))
    if (text === inAddress.current) return
    inAddress.current = text
    dispatch({ do: 'change', of: () => arrived, what: null, at: Date.now() })
  }, [written])

  useEffect(() => {
    const members = encodeView(view)
    const text = JSON.stringify(members)
    if (text === inAddress.current) return
    const put = () => {
      inAddress.current = text
      writer.current(address.written(Object.keys(members).length ? members : undefined), push.current)
      push.current = false
    }
    // A drag changes the view at every frame, while browsers refuse more than 100 addresses in 30 seconds.
    const timer = setTimeout(put, push.current ? 0 : WRITE_AFTER_MS)
    return () => clearTimeout(timer)
  }, [view])

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (
        !(event.ctrlKey || event.metaKey) ||
        event.altKey ||
        event.key.toLowerCase() !== 'z' ||
        isTyping(event.target)
      )
        return
      event.preventDefault()
      dispatch({ do: event.shiftKey ? 'redo' : 'undo' })
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [])

  const changeBy = useCallback(
    (of: (view: View) => View, what: string | null) => dispatch({ do: 'change', of, what, at: Date.now() }),
    [],
  )
  const set = useCallback(
    (members: Partial<View>) => changeBy((now) => ({ ...now, ...members }), gradual(members)),
    [changeBy],
  )
  const setColumns = useCallback(
    (members: Partial<ColumnsView>) =>
      changeBy((now) => ({ ...now, columns: { ...now.columns, ...members } }), gradual(members)),
    [changeBy],
  )
  const setCharts = useCallback(
    (members: Partial<ChartsView>) =>
      changeBy((now) => ({ ...now, charts: { ...now.charts, ...members } }), gradual(members)),
    [changeBy],
  )
  const open = useCallback(
    (other: View) => {
      push.current = true
      changeBy(() => other, null)
    },
    [changeBy],
  )
  const canUndo = history.past.length > 0
  const canRedo = history.future.length > 0
  return useMemo(
    () => ({
      ...{ view, set, setColumns, setCharts, open, canUndo, canRedo },
      undo: () => dispatch({ do: 'undo' }),
      redo: () => dispatch({ do: 'redo' }),
    }),
    [view, set, setColumns, setCharts, open, canUndo, canRedo],
  )
}

/** Return the kind of a change, by which quick changes are merged into one undo step; null for a step of its own. */
function gradual(members: object): string | null {
  const names = Object.keys(members)
  return names.every((name) => GRADUAL.has(name)) ? names.join() : null
}

/** Whether an element takes typed text, so that shortcuts do not apply. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  return (
    target.isContentEditable ||
    target.matches('textarea, select, input:not([type=checkbox], [type=radio], [type=range])')
  )
}
