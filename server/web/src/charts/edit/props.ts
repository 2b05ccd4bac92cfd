import type { PanelProps } from '../panel/props'
import type { PanelSpec } from '../panelSpec'

/** Props of the dialog that edits a panel, and of its form. */
export interface EditProps {
  /** The panel to edit; null for a new one */
  spec: PanelSpec | null
  context: Omit<PanelProps, 'spec' | 'title'>
  /** Whether the panel is one of sections; in a report it stands by itself */
  inSection?: boolean
  onClose: () => void
  onSave: (panel: PanelSpec) => void
}
