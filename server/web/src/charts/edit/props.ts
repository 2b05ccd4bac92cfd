import type { PanelProps } from '../panel/props'
import type { PanelSpec } from '../panelSpec'

/** What the dialog that edits a panel, and the form in it, get. */
export interface EditProps {
  /** The panel to change; null: a new one */
  spec: PanelSpec | null
  context: Omit<PanelProps, 'spec' | 'title'>
  onClose: () => void
  onSave: (panel: PanelSpec) => void
}
