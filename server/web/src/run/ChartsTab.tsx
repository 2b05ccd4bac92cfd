import { useComputedColorScheme } from '@mantine/core'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { pathOf } from '../api/client'
import { Charts } from '../charts'
import { strokeFor } from '../project/strokes'
import { decodeView, encodeView } from '../view/codec'
import { defaultView, type ChartsView } from '../view/view'
import type { TabProps } from './Run'

export const History = ({ run }: TabProps) => <OneRun run={run} kind="history" />
export const System = ({ run }: TabProps) => <OneRun run={run} kind="system" />

const DEFAULTS = { history: defaultView.charts, system: { ...defaultView.charts, x: '_runtime' } }

/** The wall of charts with this run alone. How it is shown is in the address, as in a project's view. */
function OneRun({ run, kind }: TabProps & { kind: 'history' | 'system' }) {
  const scheme = useComputedColorScheme('light')
  const navigate = useNavigate()
  const search = useSearch({ strict: false })
  const written: unknown = search.charts
  const view = written ? decodeView({ charts: written }).charts : DEFAULTS[kind]
  const change = (members: Partial<ChartsView>) => {
    const { charts } = encodeView({ ...defaultView, charts: { ...view, ...members } })
    void navigate({ to: '.', search: { ...search, charts } as never, replace: true })
  }
  const path = pathOf(run)
  const shown = [{ path, id: run.id, name: run.name, stroke: strokeFor(run.id, run.color, scheme) }]
  return (
    <Charts
      {...{ entity: run.entity, project: run.project, kind, view }}
      runs={shown}
      total={1}
      onChange={change}
    />
  )
}
