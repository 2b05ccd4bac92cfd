import type { PanelProps } from '../panel/props'
import type { PanelSpec } from '../spec'

interface Props {
  spec: PanelSpec | null
  context: Omit<PanelProps, 'spec' | 'title'>
  onClose: () => void
  onSave: (panel: PanelSpec) => void
}

export function EditDialog(_: Props) {
  return null
}
