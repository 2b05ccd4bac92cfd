import type { Stroke } from '../lib/palette'

/** A run as charts show it. */
export interface ShownRun {
  /** `entity/project/id` */
  path: string
  id: string
  name: string
  stroke: Stroke
  /** The group whose band it is part of, where runs are grouped */
  group?: string
}

/** Runs that are drawn as one line with a band. */
export interface ShownGroup {
  name: string
  /** `entity/project/id` of its runs, at most 1,000 */
  runs: string[]
  stroke: Stroke
}
