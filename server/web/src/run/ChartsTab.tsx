import type { TabProps } from './Run'

export function History(_: TabProps) {
  return null
}

export function System(_: TabProps) {
  return null
}
