import type { Stroke } from '../lib/palette'

/** A run that charts draw. */
export interface ShownRun {
  /** `entity/project/id` */
  path: string
  id: string
  name: string
  stroke: Stroke
  /** Name of its group, if runs are grouped */
  group?: string
}

/** A group of runs, drawn as one line with a band. */
export interface ShownGroup {
  name: string
  /** `entity/project/id` of its runs, at most 1,000 */
  runs: string[]
  stroke: Stroke
}
