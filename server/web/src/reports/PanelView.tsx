import { memo } from 'react'
import type { Place } from '../api/paths'
import { Panel } from '../charts'
import type { PanelBlock } from './blocks'
import { Legend } from './Legend'
import { usePanelRuns } from './usePanelRuns'

const HEIGHT = 320

/** Show the chart, media or other panel of a block, live. */
export const PanelView = memo(function PanelView({ block, entity, project }: Place & { block: PanelBlock }) {
  const { runs, groups, view, fixed } = usePanelRuns({ entity, project }, block)
  const { panel } = block
  return (
    <div>
      <Panel
        key={JSON.stringify(panel)}
        {...{ entity, project, runs, groups }}
        spec={{ ...panel, height: panel.height ?? HEIGHT }}
        kind={block.view.system ? 'system' : 'history'}
        view={view.charts}
        filter={fixed ? undefined : view.filter}
      />
      {panel.kind === 'line' && <Legend {...{ entity, project, runs, groups }} />}
    </div>
  )
})
