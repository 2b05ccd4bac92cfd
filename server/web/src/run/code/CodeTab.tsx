import type { TabProps } from '../Run'

export function CodeTab(_: TabProps) {
  return null
}
