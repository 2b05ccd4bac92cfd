import type { One } from './mediaValues'
import type { MediaRun } from './useMedia'

/** Props of a media view: each run's values at the step, and all its values for views over time. */
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
