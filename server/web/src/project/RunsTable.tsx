import { useQuery } from '@tanstack/react-query'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { queryClient } from '../api/queries'
import type { Scheme, Stroke } from '../lib/palette'
import type { Point } from '../shell/PopMenu'
import type { ViewControl } from '../view/useView'
import type { Sort } from '../view/view'
import type { Place } from '../api/paths'
import { firstPage, steadyTableQuery, tableQuery, type ColumnInfo, type GroupRow, type Selection } from '../api/table'
import { ColumnMenu } from './ColumnMenu'
import { moved, shortOrder, usualOrder, withChoice, type Layout } from './columns'
import { Empty } from './Empty'
import { narrowed } from './filter/expression'
import { Grid } from './grid/Grid'
import { LEAST_WIDTH } from './grid/layout'
import type { GridActions } from './grid/props'
import { groupName } from './groupName'
import { ALL, hiddenBy, toggled } from './visibility'
import { LineMenu } from './LineMenu'
import { useLines, type Line } from './useTableLines'
import { useColumnModel, type Placed } from './grid/useColumnModel'
import type { Rights } from '../access/rights'
import type { useRunSelection } from './useRunSelection'

const STEP = 50

export interface RunsTableProps {
  place: Place
  control: ViewControl
  catalogue: ColumnInfo[]
  layout: Layout
  /** Columns to request */
  wanted: string[]
  question: Selection
  selection: ReturnType<typeof useRunSelection>
  rights: Rights
  /** Whether all selected runs may be deleted */
  mayDelete: boolean
  drawn: ReadonlyMap<string, Stroke>
  scheme: Scheme
  onOpen: (id: string, aside: boolean) => void
  onRename: (id: string, name: string) => void
  onDelete: (ids: string[]) => void
  /** Ask for a condition on a column */
  onCondition: (name: string) => void
}

/** The runs table of a project, with its menus and selection. */
export function RunsTable(p: RunsTableProps) {
  const { place, control, catalogue, layout, wanted, question, selection } = p
  const { view, set, setColumns } = control
  const usual = useMemo(() => usualOrder(catalogue), [catalogue])
  const [resizing, setResizing] = useState<{ name: string; width: number } | null>(null)
  const widths = useMemo(
    () => (resizing ? { ...view.columns.widths, [resizing.name]: resizing.width } : view.columns.widths),
    [view.columns.widths, resizing],
  )
  const model = useColumnModel(layout, widths, !question.trashed && (view.baseline !== null || view.group !== null))

  const [range, setRange] = useState<[number, number]>([0, STEP])
  const onRange = useCallback((first: number, last: number) => {
    // Round to whole steps, so that scrolling rarely changes the request.
    const [from, to] = [Math.max(0, Math.floor(first / STEP) - 1) * STEP, (Math.ceil((last + 1) / STEP) + 1) * STEP - 1]
    setRange((now) => (now[0] === from && now[1] === to ? now : [from, to]))
  }, [])
  const lines = useLines(place, question, question.trashed ? null : view.group, wanted, range)
  selection.lines.current = lines

  const baselineId = question.trashed ? null : view.baseline
  const asked = useQuery({
    ...steadyTableQuery(place, {
      filter: '',
      search: '',
      sort: [],
      columns: wanted,
      offset: 0,
      limit: 1,
      ids: [baselineId ?? ''],
    }),
    enabled: baselineId !== null,
  })
  const baseline = useMemo(
    // A baseline that is gone is none.
    () => (baselineId !== null && asked.data?.runs[0] === baselineId ? { id: baselineId, page: asked.data } : null),
    [baselineId, asked.data],
  )

  const isHidden = useMemo(() => hiddenBy(view.hidden), [view.hidden])
  const nameOf = useCallback((group: GroupRow) => groupName(group, catalogue), [catalogue])
  const [menu, setMenu] = useState<
    | { column: string; at: Point }
    | { line: Exclude<Line, { kind: 'loading' }>; placed: Placed | null; at: Point }
    | null
  >(null)

  const allSelected = selection.ids.size === 0 ? false : selection.ids.size >= (lines.runs ?? Infinity) ? true : 'some'
  const actions: GridActions = {
    sort: (name, add) => {
      const sort = nextSort(view.sort, name, add, layout)
      // Asked for at once, not only when all that shows the order has been drawn again.
      if (!view.group) void queryClient.prefetchQuery(tableQuery(place, firstPage({ ...question, sort }, wanted)))
      set({ sort })
    },
    move: (name, before) => {
      const pinned = layout.pinned.includes(name)
      if (pinned)
        return setColumns({
          pinned: moved(layout.pinned, name, before !== null && layout.pinned.includes(before) ? before : null),
        })
      setColumns({ order: shortOrder(moved(layout.order, name, before), usual) })
    },
    resize: (name, width, done) => {
      const next = Math.max(LEAST_WIDTH, width)
      setResizing(done ? null : { name, width: next })
      if (done) setColumns({ widths: { ...view.columns.widths, [name]: next } })
    },
    columnMenu: (column, at) => setMenu({ column, at }),
    lineMenu: (line, placed, at) => line.kind !== 'loading' && setMenu({ line, placed, at }),
    open: p.onOpen,
    toggleGroup: lines.toggle,
    toggleDrawn: (line) => {
      if (line.kind === 'loading') return
      set({ hidden: toggled(view.hidden, line.id) })
    },
    toggleAllDrawn: () => set({ hidden: view.hidden.length ? [] : [ALL] }),
    select: selection.select,
    selectAll: () => void (allSelected === true ? selection.clear() : selection.all()),
    clearSelection: selection.clear,
    rename: (id) => p.rights.has('edit') && p.onRename(id, nameIn(lines.lineAt(lines.indexOf(id) ?? -1)) ?? id),
    remove: () => selection.ids.size > 0 && p.mayDelete && p.onDelete([...selection.ids]),
    baseline: (id) => set({ baseline: view.baseline === id ? null : id }),
  }
  const on = useSteady(actions)

  const total = lines.total
  const label = (line: Line) => (line.kind === 'group' ? nameOf(line.group) : (nameIn(line) ?? ''))
  const column = menu && 'column' in menu ? layout.all.find((one) => one.name === menu.column) : undefined
  if ((total === 0 && !lines.stale) || (lines.error && total === undefined)) {
    return <Empty control={control} question={question} error={lines.error} />
  }
  return (
    <>
      <Grid
        {...{ place, lines, model, isHidden, baseline, allSelected, on, onRange }}
        allDrawn={!view.hidden.length}
        sort={view.sort}
        selected={selection.ids}
        drawn={p.drawn}
        scheme={p.scheme}
        groupName={nameOf}
        question={JSON.stringify([question, view.group])}
      />
      {menu && column && (
        <ColumnMenu
          column={column}
          at={menu.at}
          sort={view.sort.find((one) => one.column === column.name)}
          pinned={layout.pinned.includes(column.name)}
          grouped={!!view.group && 'by' in view.group && view.group.by.includes(column.name)}
          onClose={() => setMenu(null)}
          onSort={(descending, add) => set({ sort: sorted(view.sort, column.name, descending, add) })}
          onPin={() =>
            setColumns({
              pinned: layout.pinned.includes(column.name)
                ? layout.pinned.filter((one) => one !== column.name)
                : [...layout.pinned, column.name],
            })
          }
          onHide={() => setColumns({ hidden: [...view.columns.hidden, column.name] })}
          onGroup={() => {
            const by = view.group && 'by' in view.group ? view.group.by : []
            const next = by.includes(column.name) ? by.filter((one) => one !== column.name) : [...by, column.name]
            set({ group: next.length ? { by: next } : null })
          }}
          onFilter={() => p.onCondition(column.name)}
          onChoice={(choice) => setColumns(withChoice(view.columns, layout, usual, column.name, choice))}
        />
      )}
      {menu && 'line' in menu && (
        <LineMenu
          place={place}
          rights={p.rights}
          trashed={question.trashed ?? false}
          line={menu.line}
          column={menu.placed}
          at={menu.at}
          name={label(menu.line)}
          isBaseline={menu.line.id === view.baseline}
          onClose={() => setMenu(null)}
          onOpen={(aside) => p.onOpen(menu.line.id, aside)}
          onRename={() => p.onRename(menu.line.id, label(menu.line))}
          onBaseline={() => on.baseline(menu.line.id)}
          onOnly={() => set({ hidden: [ALL, menu.line.id] })}
          onFilter={(expression) => set({ filter: narrowed(view.filter, expression) })}
          onDelete={() => p.onDelete([menu.line.id])}
        />
      )}
    </>
  )
}

const nameIn = (line: Line): string | null =>
  line.kind === 'run' ? String(line.page.columns.name?.[line.at] ?? line.id) : null

/** Functions that never change, so that lines are not drawn again for them. */
function useSteady(actions: GridActions): GridActions {
  const latest = useRef(actions)
  useEffect(() => {
    latest.current = actions
  })
  return useMemo(() => {
    const steady = {} as Record<string, (...given: never[]) => unknown>
    for (const name of Object.keys(latest.current) as (keyof GridActions)[]) {
      steady[name] = (...given) => (latest.current[name] as (...given: never[]) => unknown)(...given)
    }
    return steady as unknown as GridActions
  }, [])
}

/** The order after a click on a column: first as is most telling, then the other way, then not by it. */
function nextSort(sort: Sort[], name: string, add: boolean, layout: Layout): Sort[] {
  const now = sort.find((one) => one.column === name)
  const type = layout.all.find((one) => one.name === name)?.type
  const usual = type === 'number' || type === 'time'
  if (!now) return sorted(sort, name, usual, add)
  return sorted(sort, name, now.descending === usual ? !usual : null, add)
}

function sorted(sort: Sort[], column: string, descending: boolean | null, add: boolean): Sort[] {
  if (descending === null) return sort.filter((one) => one.column !== column)
  if (!add) return [{ column, descending }]
  const at = sort.findIndex((one) => one.column === column)
  return at < 0 ? [...sort, { column, descending }] : sort.with(at, { column, descending })
}
