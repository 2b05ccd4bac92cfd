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
