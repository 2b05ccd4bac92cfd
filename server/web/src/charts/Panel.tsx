import frameCss from './panel/Frame.module.css'
import { useMemo, useState } from 'react'
import { dashed } from '../lib/palette'
import { defaultCharts, type ChartsView } from '../view/view'
import { useKeys } from './useKeys'
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
}: Props) {
  const [zoom, setZoom] = useState<ChartsView['zoom']>(null)
  const view = useMemo(() => ({ ...defaultCharts, ...changes, zoom }), [changes, zoom])
  const drawn = useMemo(() => dashed(runs.slice(0, view.limit)), [runs, view.limit])
  const { keys } = useKeys(drawn, kind)
  const ids = useMemo(() => (filter === undefined ? runs.map((run) => run.id) : null), [filter, runs])
  const title = titleOf(spec)
  return (
    <ZoomProvider view={view} kind={kind} onChange={(change) => 'zoom' in change && setZoom(change.zoom ?? null)}>
      <figure className={`panel ${frameCss.panel}`} style={{ height: spec.height ?? 260 }} aria-label={title}>
        <figcaption className={`${frameCss.head} ${frameCss.caption}`}>{title}</figcaption>
        <Content
          {...{ entity, project, spec, title, groups, view, kind, keys, ids }}
          filter={filter ?? ''}
          search=""
          runs={drawn}
        />
      </figure>
    </ZoomProvider>
  )
}
