import css from './EmbeddedPanel.module.css'
import { Text, useComputedColorScheme } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { Panel } from '../charts'
import type { Place } from '../api/paths'
import { steadyTableQuery } from '../api/table'
import { STROKE_COLUMNS, strokeFor } from '../lib/runStroke'
import { Waiting } from '../shell/Waiting'
import { strings } from '../strings'
import { parsePanel, type NotePanel } from './parsePanel'

/** Show the panel that a block in the notes describes, or the error in the block. */
export function EmbeddedPanel({ source, ...place }: Place & { source: string }) {
  const parsed = useMemo(() => {
    try {
      return parsePanel(source)
    } catch (error) {
      return error as Error
    }
  }, [source])
  if (parsed instanceof Error) return <Problem text={parsed.message} source={source} />
  return <Shown panel={parsed} source={source} {...place} />
}

function Shown({ panel, source, entity, project }: Place & { panel: NotePanel; source: string }) {
  const scheme = useComputedColorScheme('light')
  const { data, error } = useQuery(
    steadyTableQuery(
      { entity, project },
      {
        ...{ filter: panel.filter, search: '', sort: [{ column: 'created', descending: true }], offset: 0 },
        ...{ columns: STROKE_COLUMNS, limit: panel.limit, ids: panel.runs.length ? panel.runs : undefined },
      },
    ),
  )
  if (error) return <Problem text={error.message} source={source} />
  if (!data) return <Waiting height={panel.spec.height} />
  if (!data.runs.length) return <Problem text={strings.notes.noRuns} source={source} />
  const runs = data.runs.map((id, i) => ({
    ...{ path: `${entity}/${project}/${id}`, id, name: String(data.columns.name?.[i] ?? id) },
    stroke: strokeFor(data.columns.ordinal?.[i], data.columns.color?.[i], scheme),
  }))
  const view = { limit: panel.limit, ...(panel.smoothing && { smoothing: panel.smoothing }) }
  const filter = panel.runs.length ? undefined : panel.filter
  return (
    <div className={css.panel}>
      <Panel {...{ entity, project, runs, view, filter }} spec={panel.spec} />
    </div>
  )
}

function Problem({ text, source }: { text: string; source: string }) {
  return (
    <div className={css.notice}>
      <Text fw={600}>{strings.notes.badPanel}</Text>
      <Text size="sm">{text}</Text>
      <pre tabIndex={0}>{source}</pre>
    </div>
  )
}
