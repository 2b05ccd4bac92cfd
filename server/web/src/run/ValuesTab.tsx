import type { TabProps } from './Run'

export function ValuesTab(_: TabProps) {
  return null
}
