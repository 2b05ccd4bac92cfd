import type { One } from './mediaValues'
import type { MediaRun } from './useMedia'

/** What a view shows: each run's values at the step, and for views over time all of them. */
export interface ViewProps {
  title: string
  found: MediaRun[]
  shown: Shown[]
  step: number
}

export interface Shown extends MediaRun {
  step: number
  values: One[]
}
