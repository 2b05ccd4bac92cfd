import { useMemo, useState, type ComponentType } from 'react'
import { later } from '../../shell/later'
import { strings } from '../../strings'
import type { PanelProps } from '../panel/props'
import { Empty, Loading, Trouble } from '../panel/States'
import type { MediaSpec } from '../spec'
import { Gallery } from './Gallery'
import { SHOWN, useMedia, type MediaRun } from './history'
import { StepSlider } from './StepSlider'
import { itemAt, stepsOf, type One } from './values'

const Curve = later(() => import('./Curve').then((it) => it.default))
const Heatmap = later(() => import('./Heatmap').then((it) => it.default))
const Tables = later(() => import('./Tables').then((it) => it.default))

/** What a view shows: each run's values at the step, and for views over time all of them. */
export interface ViewProps {
  title: string
  found: MediaRun[]
  shown: Shown[]
  step: number
}

export interface Shown extends MediaRun {
  step: number
  values: One[]
}

/** Whatever runs logged under a key, at a step that can be chosen. How it is shown follows from what it is. */
export default function MediaPanel({ spec, title, runs: drawn, keys }: PanelProps & { spec: MediaSpec }) {
  const owners = keys.find((one) => one.key === spec.key)?.runs
  const runs = useMemo(() => (owners ? drawn.filter((run) => owners.includes(run.path)) : drawn), [owners, drawn])
  const { found, pending, error } = useMedia(runs, spec.key)
  const [chosen, setChosen] = useState<number | null>(null)
  if (error && !found.length) return <Trouble error={error} />
  if (!found.length) return pending ? <Loading /> : <Empty>{strings.charts.empty.media(spec.key)}</Empty>
  const steps = stepsOf(found)
  const last = steps[steps.length - 1]!
  const step = chosen ?? last
  const shown = found.flatMap((one): Shown[] => {
    const item = itemAt(one.items, step)
    return item ? [{ ...one, ...item }] : []
  })
  const newest = found[0]!.items[found[0]!.items.length - 1]!.values[0]!
  const View = viewOf(spec.kind, newest)
  const text = strings.charts.media
  return (
    <div className="chart-body">
      <div className="chart-media" tabIndex={0} role="group" aria-label={title}>
        <View {...{ title, found, shown, step }} />
      </div>
      {(runs.length > SHOWN || found.some((one) => one.more)) && (
        <span className="chart-points">{runs.length > SHOWN ? text.firstRuns(SHOWN, runs.length) : text.firstSteps}</span>
      )}
      {View !== Heatmap && steps.length > 1 && <StepSlider steps={steps} step={step} onStep={(at) => setChosen(at === last ? null : at)} />}
    </div>
  )
}

/** The kind of a panel says it where there is a choice: a table with columns to draw is a curve or a table. */
function viewOf(kind: MediaSpec['kind'], value: One): ComponentType<ViewProps> {
  if (value._type === 'histogram') return Heatmap
  if (value._type === 'table') return kind === 'curve' || (value.plot && kind !== 'table') ? Curve : Tables
  return Gallery
}
