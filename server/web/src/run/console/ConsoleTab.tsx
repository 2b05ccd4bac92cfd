import type { TabProps } from '../Run'

export function ConsoleTab(_: TabProps) {
  return null
}
