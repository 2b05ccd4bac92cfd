import type { CommonKey } from '../../api/queries'
import type { ChartsView } from '../../view/view'
import type { PanelSpec } from '../panelSpec'
import type { ShownGroup, ShownRun } from '../types'

/** What every kind of panel gets. */
export interface PanelProps {
  entity: string
  project: string
  spec: PanelSpec
  title: string
  /** Those drawn; of groups all runs */
  runs: ShownRun[]
  groups: ShownGroup[]
  view: ChartsView
  kind: 'history' | 'system'
  /** What the drawn runs have logged */
  keys: CommonKey[]
  /** For panels of all runs: those that match filter and search of the table, or if given only these */
  filter: string
  search: string
  ids: string[] | null
  /** Narrow that filter by another condition */
  onBrush?: (filter: string) => void
}
