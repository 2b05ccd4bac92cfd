import type { CommonKey } from '../../api/queries'
import type { ChartsView } from '../../view/view'
import type { PanelSpec } from '../panelSpec'
import type { ShownGroup, ShownRun } from '../types'

/** Props of every kind of panel. */
export interface PanelProps {
  entity: string
  project: string
  spec: PanelSpec
  title: string
  /** The drawn runs */
  runs: ShownRun[]
  groups: ShownGroup[]
  view: ChartsView
  kind: 'history' | 'system'
  /** Keys that the drawn runs have logged */
  keys: CommonKey[]
  /** Panels of all runs show those that match filter and search of the table, or only `ids` if given */
  filter: string
  search: string
  ids: string[] | null
  /** Adds a condition to the filter of the table */
  onBrush?: (filter: string) => void
}
