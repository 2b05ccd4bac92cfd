import type { TabProps } from '../Run'

export function PackagesTab(_: TabProps) {
  return null
}
