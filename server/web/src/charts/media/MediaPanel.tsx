import contentCss from '../panel/Content.module.css'
import css from './MediaPanel.module.css'
import { useMemo, useState, type ComponentType } from 'react'
import { lazyLoad } from '../../shell/lazyLoad'
import { strings } from '../../strings'
import type { PanelProps } from '../panel/props'
import { Empty, Loading, Trouble } from '../panel/States'
import type { MediaSpec } from '../panelSpec'
import { Gallery } from './Gallery'
import type { Shown, ViewProps } from './props'
import { SHOWN, useMedia } from './useMedia'
import { StepSlider } from './StepSlider'
import { itemAt, stepsOf, type One } from './mediaValues'

const Curve = lazyLoad(() => import('./Curve').then((it) => it.default))
const Heatmap = lazyLoad(() => import('./Heatmap').then((it) => it.default))
const Tables = lazyLoad(() => import('./Tables').then((it) => it.default))

/** Show what runs logged under a key at a step that the user chooses. The type of the values decides the view. */
export default function MediaPanel({ spec, title, runs: drawn, keys }: PanelProps & { spec: MediaSpec }) {
  const owners = keys.find((one) => one.key === spec.key)?.runs
  const runs = useMemo(() => (owners ? drawn.filter((run) => owners.includes(run.path)) : drawn), [owners, drawn])
  const { found, pending, error } = useMedia(runs, spec.key)
  const [chosen, setChosen] = useState<number | null>(spec.step ?? null)
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
    <div className={contentCss.body}>
      <div className={css.media} tabIndex={0} role="group" aria-label={title}>
        <View {...{ title, found, shown, step }} />
      </div>
      {(runs.length > SHOWN || found.some((one) => one.more)) && (
        <span className={contentCss.points}>
          {runs.length > SHOWN ? text.firstRuns(SHOWN, runs.length) : text.firstSteps}
        </span>
      )}
      {View !== Heatmap && steps.length > 1 && (
        <StepSlider steps={steps} step={step} onStep={(at) => setChosen(at === last ? null : at)} />
      )}
    </div>
  )
}

/** The view of a value. The panel's kind decides where there are two: a table can be a curve or a table. */
function viewOf(kind: MediaSpec['kind'], value: One): ComponentType<ViewProps> {
  if (value._type === 'histogram') return Heatmap
  if (value._type === 'table') return kind === 'curve' || (value.plot && kind !== 'table') ? Curve : Tables
  return Gallery
}
