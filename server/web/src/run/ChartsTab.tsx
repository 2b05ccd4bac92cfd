import { useComputedColorScheme } from '@mantine/core'
import { pathOf } from '../api/paths'
import { Charts } from '../charts'
import { strokeFor } from '../lib/runStroke'
import { fixedChoice } from '../reports/choiceOf'
import { useAddToReport } from '../reports/useAddToReport'
import { defaultCharts } from '../view/view'
import type { TabProps } from './props'
import { useChartsView } from './useChartsView'

const DEFAULTS = { history: defaultCharts, system: { ...defaultCharts, x: '_runtime' } }

export const History = ({ run }: TabProps) => <OneRun run={run} kind="history" />
export const System = ({ run }: TabProps) => <OneRun run={run} kind="system" />

/** The charts of this run alone. */
function OneRun({ run, kind }: TabProps & { kind: 'history' | 'system' }) {
  const scheme = useComputedColorScheme('light')
  const [view, change] = useChartsView(DEFAULTS[kind])
  const { entity, project, id, name } = run
  const shown = [{ path: pathOf(run), id, name, stroke: strokeFor(run.ordinal, run.color, scheme) }]
  const report = useAddToReport({ entity, project }, () => {
    const choice = fixedChoice([id], view)
    return kind === 'system' ? { ...choice, view: { ...choice.view, system: true } } : choice
  })
  return (
    <>
      <Charts
        {...{ entity, project, kind, view }}
        runs={shown}
        total={1}
        onChange={change}
        onReport={report.onReport}
      />
      {report.dialog}
    </>
  )
}
