import type { Point } from '../../shell/PopMenu'
import type { Scheme, Stroke } from '../../lib/palette'
import type { Sort } from '../../view/view'
import type { Place } from '../../api/paths'
import type { GroupRow, TablePage } from '../../api/table'
import type { Line, Lines } from '../useTableLines'
import type { ColumnModel, Placed } from './useColumnModel'

/** The cell with the focus, or the last one that had it. */
export interface Active {
  line: number
  column: number
}

/** Actions in the grid. */
export interface GridActions {
  sort: (name: string, add: boolean) => void
  move: (name: string, before: string | null) => void
  resize: (name: string, width: number, done: boolean) => void
  columnMenu: (name: string, at: Point) => void
  lineMenu: (line: Line, column: Placed | null, at: Point) => void
  open: (id: string, aside: boolean) => void
  toggleGroup: (group: GroupRow) => void
  toggleDrawn: (line: Line) => void
  toggleAllDrawn: () => void
  /** `index`: the row's number. `range`: select all rows from the last selected one to this one */
  select: (line: Line, index: number, range: boolean) => void
  selectAll: () => void
  clearSelection: () => void
  rename: (id: string) => void
  remove: () => void
  baseline: (id: string) => void
}

export interface GridProps {
  place: Place
  lines: Lines
  model: ColumnModel
  sort: Sort[]
  selected: ReadonlySet<string>
  allSelected: boolean | 'some'
  isHidden: (id: string) => boolean
  allDrawn: boolean
  /** How charts draw runs and groups, by id */
  drawn: ReadonlyMap<string, Stroke>
  baseline: { id: string; page: TablePage } | null
  scheme: Scheme
  groupName: (group: GroupRow) => string
  /** Identifies filter and sort: when it changes, the table scrolls to its top */
  question: string
  onRange: (first: number, last: number) => void
  on: GridActions
}
