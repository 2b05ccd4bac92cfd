import type { RunInfo } from '../api/client'

/** What each tab of the compare page gets. */
export interface CompareProps {
  runs: RunInfo[]
  /** Id of the run that the others are compared with */
  baseline: string
  setBaseline: (id: string) => void
  remove: (id: string) => void
}
