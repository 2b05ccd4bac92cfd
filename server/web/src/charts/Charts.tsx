import css from './Charts.module.css'
import { Button, Group, VisuallyHidden } from '@mantine/core'
import { useCallback, useMemo, useState, type ReactNode } from 'react'
import { strings } from '../strings'
import type { ChartsView } from '../view/view'
import { EditDialog } from './edit/EditDialog'
import { FullScreen } from './FullScreen'
import { useDrawing } from './useDrawing'
import { ZoomProvider } from './line/ZoomProvider'
import { Empty, Loading, Trouble } from './panel/States'
import type { PanelProps } from './panel/props'
import { kept, matching, moved, sectionsOf, without, type Section } from './panels'
import { SectionPanels } from './SectionPanels'
import type { PanelSpec } from './panelSpec'
import { Toolbar } from './Toolbar'
import type { ShownGroup, ShownRun } from './types'

export interface ChartsProps {
  entity: string
  project: string
  /** In the order of the table; only the first `view.limit` are drawn */
  runs: ShownRun[]
  groups?: ShownGroup[]
  /** Number of runs that match the filter; `runs` may hold fewer */
  total: number
  /** Whether there are no runs at all, as opposed to none that are shown */
  empty?: boolean
  kind?: 'history' | 'system'
  view: ChartsView
  onChange: (change: Partial<ChartsView>) => void
  /** Narrows the filter of the table */
  onBrush?: (filter: string) => void
  /** The table's filter: panels of all runs show the runs that match. Without it they show `runs`. */
  filter?: string
  /** The table's search text */
  search?: string
  /** Opens a dialog that adds a panel to a report */
  onReport?: (panel: PanelSpec) => void
}

const NO_GROUPS: ShownGroup[] = []

/** Show a toolbar and panels in sections. All state is in `view`. */
export function Charts(props: ChartsProps) {
  const {
    entity,
    project,
    runs,
    groups = NO_GROUPS,
    total,
    empty = false,
    kind = 'history',
    view,
    onChange,
    onBrush,
    filter,
    search = '',
    onReport,
  } = props
  const { panels, removed } = view
  const grouped = groups.length > 0
  const { bands, drawn, keys, pending, error } = useDrawing(runs, groups, view.limit, kind)
  const ids = useMemo(() => (filter === undefined ? runs.map((run) => run.id) : null), [filter, runs])
  const sections = useMemo(() => sectionsOf(keys, { panels, removed }), [keys, panels, removed])
  const found = useMemo(() => matching(sections, view.search), [sections, view.search])
  const [edited, setEdited] = useState<PanelSpec | 'new' | null>(null)
  const [full, setFull] = useState<string | null>(null)
  const [said, setSaid] = useState('')
  const text = strings.charts

  const context: Omit<PanelProps, 'spec' | 'title'> = {
    entity,
    project,
    runs: drawn,
    groups: bands,
    view,
    kind,
    keys,
    filter: filter ?? '',
    search,
    ids,
    onBrush,
  }
  const keep = useCallback(
    (panel: PanelSpec) => onChange({ panels: kept(view.panels, panel) }),
    [onChange, view.panels],
  )

  const actionsOf = ({ name, panels }: Section, panel: PanelSpec) => {
    const move = (id: string, to: number) => {
      // A panel from another section moves to the section of its new place.
      const other = sections.flatMap((section) => section.panels).find((one) => one.id === id)
      if (!other) return
      const there = panels.some((one) => one.id === id) ? panels : [...panels, other]
      const place = Math.max(0, Math.min(there.length - 1, to))
      const next = moved(there, id, place)
      if (!next) return
      keep({ ...next, section: name })
      setSaid(text.panel.moved(place + 1, there.length))
    }
    const at = panels.findIndex((one) => one.id === panel.id)
    return {
      onEdit: () => setEdited(panel),
      onFull: () => setFull(panel.id),
      onReport: onReport && (() => onReport(panel)),
      onRemove: () => onChange(without(view, panel.id)),
      onMove: (by: number) => move(panel.id, at + by),
      onDrop: (id: string) => move(id, at),
      onResize: (width: number, height: number) => {
        keep({ ...panel, width, height })
        setSaid(text.panel.resized(width, height))
      },
    }
  }

  const count = grouped
    ? text.toolbar.drawnGroups(bands.length, Math.max(total, groups.length))
    : text.toolbar.drawn(drawn.length, Math.max(total, runs.length))
  let body: ReactNode
  if (!runs.length && !grouped && !view.panels.length)
    body = <Empty>{empty ? text.none.noKeys : text.none.noRuns}</Empty>
  else if (error && !keys.length) body = <Trouble error={error} />
  else if (!keys.length && pending) body = <Loading />
  else if (found === null) body = <Empty>{text.none.badRegex}</Empty>
  else if (!found.length)
    body = view.search ? (
      <>
        <Empty>{text.none.noMatch(view.search)}</Empty>
        <Group justify="center">
          <Button size="xs" variant="light" onClick={() => onChange({ search: '' })}>
            {text.none.clearSearch}
          </Button>
        </Group>
      </>
    ) : (
      <Empty>{text.none.noKeys}</Empty>
    )
  else
    body = found.map((section) => (
      <SectionPanels
        key={section.name}
        section={section}
        open={!view.closed.includes(section.name)}
        onToggle={(open) =>
          onChange({
            closed: open ? view.closed.filter((one) => one !== section.name) : [...view.closed, section.name],
          })
        }
        context={context}
        actionsOf={(panel) => actionsOf(sections.find((one) => one.name === section.name)!, panel)}
      />
    ))
  return (
    <ZoomProvider view={view} kind={kind} onChange={onChange}>
      <div className={css.sections} data-panels role="region" aria-label={text.region}>
        <Toolbar
          {...{ view, onChange, keys, kind, grouped }}
          drawn={count}
          many={total > 1}
          badSearch={found === null}
          onAdd={() => setEdited('new')}
        />
        {body}
        <VisuallyHidden aria-live="polite">{said}</VisuallyHidden>
      </div>
      {edited && (
        <EditDialog
          spec={edited === 'new' ? null : edited}
          context={context}
          onClose={() => setEdited(null)}
          onSave={(panel) => {
            keep(panel)
            setEdited(null)
          }}
        />
      )}
      <FullScreen sections={found ?? []} shown={full} onShow={setFull} context={context} />
    </ZoomProvider>
  )
}
