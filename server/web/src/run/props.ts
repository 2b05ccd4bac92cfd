import type { RunInfo } from '../api/client'

/** What each tab of a run's page gets. */
export interface TabProps {
  run: RunInfo
}
