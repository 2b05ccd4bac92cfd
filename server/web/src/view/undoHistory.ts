/** An undo history of states, as pure functions. */
export interface History<State> {
  past: State[]
  now: State
  future: State[]
  /** Kind and time of the last change, to merge quick changes of the same kind into one step */
  last: { what: string | null; at: number } | null
}

const MOST = 200
const ONE_STEP_MS = 1000

export const begin = <State>(now: State): History<State> => ({ past: [], now, future: [], last: null })

/**
 * Change to `next`. Changes with the same `what` within a second of each other, such as a drag, are one undo step;
 * changes with null are a step each.
 */
export function change<State>(history: History<State>, next: State, what: string | null, at: number): History<State> {
  if (next === history.now) return history
  const goesOn = what !== null && history.last?.what === what && at - history.last.at < ONE_STEP_MS
  const past = goesOn ? history.past : [...history.past, history.now].slice(-MOST)
  return { past, now: next, future: [], last: { what, at } }
}

export function undo<State>(history: History<State>): History<State> {
  const before = history.past.at(-1)
  if (before === undefined) return history
  return { past: history.past.slice(0, -1), now: before, future: [history.now, ...history.future], last: null }
}

export function redo<State>(history: History<State>): History<State> {
  const [next, ...future] = history.future
  if (next === undefined) return history
  return { past: [...history.past, history.now], now: next, future, last: null }
}
