import css from './Project.module.css'
import { Skeleton, Stack, Tabs, useComputedColorScheme } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { Suspense, useCallback, useMemo, useState } from 'react'
import { ROOT } from '../api/session'
import { Failed } from '../shell/Failed'
import { ErrorBoundary } from '../shell/ErrorBoundary'
import { lazyLoad } from '../shell/lazyLoad'
import { usePageTitle } from '../shell/usePageTitle'
import { strings } from '../strings'
import { useView } from '../view/useView'
import type { Sort } from '../view/view'
import type { Place } from '../api/paths'
import type { ColumnInfo, Selection } from '../api/table'
import { columnsQuery, useViewColumns } from './columnCatalogue'
import { layoutOf, splitChoice, type Layout } from './columns'
import { EditDialog } from './EditDialog'
import { MoveDialog } from './MoveDialog'
import { narrowed } from './filter/expression'
import { useMayDelete, useRights } from '../access/rights'
import { choiceOf } from '../reports/choiceOf'
import { useAddToReport } from '../reports/useAddToReport'
import { RunsTable } from './RunsTable'
import { SelectionBar } from './SelectionBar'
import { Splitter } from './Splitter'
import { STROKE_COLUMNS } from '../lib/runStroke'
import { TableBar } from './TableBar'
import { Toolbar } from './Toolbar'
import { useActions } from './useActions'
import { useDrawnRuns } from './useDrawnRuns'
import { useRunSelection } from './useRunSelection'

const Charts = lazyLoad(() => import('../charts').then((it) => it.Charts))
void Charts.preload() // while the runs load, not only after them

const texts = strings.project

/** The workspace of a project: a table of its runs, and their charts beside it. */
export function Project() {
  const { entity, project } = useParams({ strict: false }) as Place
  usePageTitle(project)
  const place = useMemo(() => ({ entity, project }), [entity, project])
  const { data, error, refetch } = useQuery(columnsQuery(place))
  if (error && !data) return <Failed error={error} reset={() => void refetch()} />
  if (!data) return <Waiting />
  // Each project has its own view, selection and history.
  return <Workspace key={`${entity}/${project}`} place={place} catalogue={data.columns} />
}

function Waiting() {
  return (
    <Stack p="md" gap="sm" aria-busy aria-label={texts.loading}>
      <Skeleton h={32} />
      {Array.from({ length: 12 }, (_, i) => (
        <Skeleton key={i} h={18} w={`${90 - ((i * 17) % 40)}%`} />
      ))}
    </Stack>
  )
}

function Workspace({ place, catalogue }: { place: Place; catalogue: ColumnInfo[] }) {
  const navigate = useNavigate()
  const { v } = useSearch({ strict: false }) as { v?: unknown }
  const control = useView(
    v,
    (view, push) =>
      void navigate({
        to: '.',
        search: (now: Record<string, unknown>) => ({ ...now, v: view }),
        replace: !push,
      } as never),
  )
  const { view, set, setCharts } = control
  useViewColumns(place, view)
  const scheme = useComputedColorScheme('light')
  const narrow = useMediaQuery('(max-width: 820px)', window.innerWidth <= 820) ?? false

  const [trashed, setTrashed] = useState(false)
  const sort = useKnownSort(view.sort, catalogue)
  const question = useMemo(
    (): Selection => ({ filter: view.filter, search: view.search, sort, trashed }),
    [view.filter, view.search, sort, trashed],
  )
  const living = useMemo((): Selection => ({ ...question, trashed: false }), [question])
  const layout = useMemo(() => layoutOf(view.columns, catalogue), [view.columns, catalogue])
  const wanted = useWanted(layout)
  const drawn = useDrawnRuns(place, living, view, wanted, catalogue, scheme)
  const selection = useRunSelection(place, question, view.group !== null)
  const actions = useActions(place)
  const rights = useRights(place.entity, place.project)
  const chosen = useMemo(() => [...selection.ids], [selection.ids])
  const mayDelete = useMayDelete(place, rights, chosen, trashed)
  const [edited, setEdited] = useState<{ ids: string[]; name: string | null } | null>(null)
  const [moved, setMoved] = useState<string[] | null>(null)
  const [asked, setAsked] = useState<string | null>(null)
  const onAsked = useCallback(() => setAsked(null), [])

  const { entity, project } = place
  const onOpen = useCallback(
    (id: string, aside: boolean) => {
      const to = `/runs/${[entity, project, id].map(encodeURIComponent).join('/')}`
      if (aside) window.open(ROOT + to, '_blank', 'noopener')
      else void navigate({ to } as never)
    },
    [navigate, entity, project],
  )
  const onCompare = (ids: string[]) => {
    const to = `/projects/${[entity, project].map(encodeURIComponent).join('/')}/compare`
    void navigate({
      to,
      search: { runs: ids.join(','), ...(view.baseline && ids.includes(view.baseline) && { baseline: view.baseline }) },
    } as never)
  }
  const { clear } = selection
  const onTrash = useCallback(
    (on: boolean) => {
      clear()
      setTrashed(on)
    },
    [clear],
  )
  const onDelete = (ids: string[]) => void (trashed ? undefined : actions.trash(ids).then(selection.clear))
  const onBrush = useCallback(
    (expression: string) => set({ filter: narrowed(view.filter, expression) }),
    [set, view.filter],
  )

  const report = useAddToReport(place, () => choiceOf(place, { ...view, sort }))
  const table = (
    <section className={css.table} aria-label={texts.table}>
      <ErrorBoundary>
        <TableBar
          {...{ place, control, catalogue, question, wanted, trashed, rights }}
          total={drawn.total}
          onTrash={onTrash}
        />
        <RunsTable
          {...{
            place,
            control,
            catalogue,
            layout,
            wanted,
            question,
            selection,
            rights,
            mayDelete,
            scheme,
            onOpen,
            onDelete,
          }}
          drawn={drawn.strokeById}
          onRename={(id, name) => setEdited({ ids: [id], name })}
          onCondition={setAsked}
        />
      </ErrorBoundary>
      {selection.ids.size > 0 && (
        <SelectionBar
          {...{ trashed, rights, mayDelete, catalogue, actions, onCompare }}
          onMove={setMoved}
          ids={selection.ids}
          onEdit={(ids) => setEdited({ ids, name: ids.length === 1 ? selection.nameOf(ids[0]!) : null })}
          onAll={() => void selection.all()}
          onClear={selection.clear}
        />
      )}
    </section>
  )
  const charts = (
    <section className={css.charts} aria-label={texts.charts}>
      <ErrorBoundary>
        <Suspense fallback={<Skeleton h={300} m="sm" />}>
          <Charts
            {...place}
            runs={drawn.runs}
            groups={drawn.groups}
            total={drawn.total}
            empty={!drawn.total && !view.hidden.length && !view.filter && !view.search}
            view={view.charts}
            onChange={setCharts}
            onBrush={onBrush}
            filter={view.filter}
            search={view.search}
            onReport={report.onReport}
          />
        </Suspense>
      </ErrorBoundary>
    </section>
  )
  return (
    <div className={css.workspace}>
      <h1 className="visually-hidden">{project}</h1>
      <Toolbar {...{ place, control, catalogue, narrow, asked }} error={drawn.error} onAsked={onAsked} />
      {narrow ? (
        <Tabs
          className={css.tabs}
          value={view.layout === 'charts' ? 'charts' : 'table'}
          onChange={(tab) => set({ layout: tab === 'charts' ? 'charts' : 'both' })}
          keepMounted={false}
        >
          <Tabs.List grow>
            <Tabs.Tab value="table">{texts.toolbar.layouts.table}</Tabs.Tab>
            <Tabs.Tab value="charts">{texts.toolbar.layouts.charts}</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="table">{table}</Tabs.Panel>
          <Tabs.Panel value="charts">{charts}</Tabs.Panel>
        </Tabs>
      ) : (
        <div
          className={css.panes}
          style={{ gridTemplateColumns: columnsOf(trashed ? 'table' : view.layout, view.split) }}
        >
          {(view.layout !== 'charts' || trashed) && table}
          {view.layout === 'both' && !trashed && <Splitter share={view.split} onChange={(split) => set({ split })} />}
          {view.layout !== 'table' && !trashed && charts}
        </div>
      )}
      {moved && <MoveDialog place={place} ids={moved} onDone={selection.clear} onClose={() => setMoved(null)} />}
      {report.dialog}
      {edited && (
        <EditDialog
          {...edited}
          place={place}
          scheme={scheme}
          onClose={() => setEdited(null)}
          onSave={(change) => void actions.edit(edited.ids, change)}
        />
      )}
    </div>
  )
}

/** Columns that every row needs, shown or not. */
const NEEDED = [...STROKE_COLUMNS, 'state']

/** Columns to request; the same object while the visible columns are the same in any order. */
function useWanted(layout: Layout): string[] {
  const key = JSON.stringify([...new Set([...NEEDED, ...layout.visible])].sort())
  return useMemo(() => JSON.parse(key) as string[], [key])
}

/** Drop columns that no run has from the sort order, such as those of an old link. */
function useKnownSort(sort: Sort[], catalogue: ColumnInfo[]): Sort[] {
  const names = new Set(catalogue.map((one) => one.name))
  const known = sort.filter(({ column }) => names.has(column) || names.has(splitChoice(column).base))
  const key = JSON.stringify(known)
  return useMemo(() => JSON.parse(key) as Sort[], [key])
}

const columnsOf = (layout: string, split: number): string =>
  layout === 'both' ? `minmax(0, ${split}fr) 7px minmax(0, ${1 - split}fr)` : 'minmax(0, 1fr)'
