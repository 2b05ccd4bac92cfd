import css from './fields.module.css'
import type { PanelBlock } from '../blocks'
import { PanelView } from '../PanelView'
import type { BlockProps } from './props'
import { RunsField } from './RunsField'

/** Show a chart, and choose its runs. What it shows of them is edited in a dialog. */
export function PanelEditor({ place, block, set }: BlockProps<PanelBlock>) {
  return (
    <div className={css.fields}>
      <PanelView {...place} block={block} />
      <RunsField
        place={place}
        choice={block}
        onChange={({ runs, filter, limit }) => set({ ...block, runs, filter, limit })}
        onView={(choice) => set({ ...block, ...choice })}
      />
    </div>
  )
}
