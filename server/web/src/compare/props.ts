import type { RunInfo } from '../api/client'

/** Props of each tab of the comparison. */
export interface CompareProps {
  runs: RunInfo[]
  /** Id of the run that the others are compared with */
  baseline: string
  setBaseline: (id: string) => void
  remove: (id: string) => void
}
