import type { RunInfo } from '../api/client'

/** Props of each tab of a run's page. */
export interface TabProps {
  run: RunInfo
}
