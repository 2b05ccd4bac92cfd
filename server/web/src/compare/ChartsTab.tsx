import { useComputedColorScheme } from '@mantine/core'
import { pathOf } from '../api/paths'
import { Charts } from '../charts'
import { dashed } from '../lib/palette'
import { strokeFor } from '../lib/runStroke'
import { useChartsView } from '../run/useChartsView'
import { fixedChoice } from '../reports/choiceOf'
import { useAddToReport } from '../reports/useAddToReport'
import { defaultCharts } from '../view/view'
import type { CompareProps } from './props'

const DEFAULT = { ...defaultCharts, limit: 50 }

/** The charts of all compared runs. */
export function ChartsTab({ runs }: CompareProps) {
  const scheme = useComputedColorScheme('light')
  const [view, change] = useChartsView(DEFAULT)
  const { entity, project } = runs[0]!
  const shown = dashed(
    runs.map((run) => ({
      path: pathOf(run),
      id: run.id,
      name: run.name,
      stroke: strokeFor(run.ordinal, run.color, scheme),
    })),
  )
  const report = useAddToReport({ entity, project }, () =>
    fixedChoice(
      runs.map((run) => run.id),
      view,
    ),
  )
  return (
    <>
      <Charts
        {...{ entity, project, view }}
        runs={shown}
        total={shown.length}
        onChange={change}
        onReport={report.onReport}
      />
      {report.dialog}
    </>
  )
}
