import frameCss from './panel/Frame.module.css'
import { useMemo, useState, type ReactNode } from 'react'
import { defaultCharts, type ChartsView } from '../view/view'
import { useDrawing } from './useDrawing'
import { ZoomProvider } from './line/ZoomProvider'
import { Content } from './panel/Content'
import { titleOf, type PanelSpec } from './panelSpec'
import type { ShownGroup, ShownRun } from './types'

interface Props {
  entity: string
  project: string
  spec: PanelSpec
  runs: ShownRun[]
  groups?: ShownGroup[]
  kind?: 'history' | 'system'
  /** Settings other than the usual ones */
  view?: Partial<ChartsView>
  filter?: string
  /** Beside the title */
  tools?: ReactNode
}

const NO_GROUPS: ShownGroup[] = []

/** One panel by itself, with its title, for texts. Its zoom is its own. Fills the width; `spec.height` pixels high. */
export function Panel({
  entity,
  project,
  spec,
  runs,
  groups = NO_GROUPS,
  kind = 'history',
  view: changes,
  filter,
  tools,
}: Props) {
  const [zoom, setZoom] = useState<ChartsView['zoom']>(changes?.zoom ?? null)
  const view = useMemo(() => ({ ...defaultCharts, ...changes, zoom }), [changes, zoom])
  const { bands, drawn, keys } = useDrawing(runs, groups, view.limit, kind)
  const ids = useMemo(() => (filter === undefined ? runs.map((run) => run.id) : null), [filter, runs])
  const title = titleOf(spec)
  return (
    <ZoomProvider view={view} kind={kind} onChange={(change) => 'zoom' in change && setZoom(change.zoom ?? null)}>
      <figure className={`panel ${frameCss.panel}`} style={{ height: spec.height ?? 260 }} aria-label={title}>
        <figcaption className={`${frameCss.head} ${frameCss.caption}`}>
          <span className={frameCss.title}>{title}</span>
          {tools}
        </figcaption>
        <Content
          {...{ entity, project, spec, title, view, kind, keys, ids }}
          groups={bands}
          filter={filter ?? ''}
          search=""
          runs={drawn}
        />
      </figure>
    </ZoomProvider>
  )
}
