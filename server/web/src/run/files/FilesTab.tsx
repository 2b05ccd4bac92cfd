import type { TabProps } from '../Run'

export function FilesTab(_: TabProps) {
  return null
}
