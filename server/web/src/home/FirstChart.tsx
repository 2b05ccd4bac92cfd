import { Text, useComputedColorScheme } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { Place } from '../api/paths'
import { commonKeysQuery } from '../api/queries'
import { Panel } from '../charts'
import { tableQuery } from '../api/table'
import { STROKE_COLUMNS, strokeFor } from '../lib/runStroke'
import { Waiting } from '../shell/Waiting'
import { strings } from '../strings'

/** Draw the first metric of the first run, live. */
export function FirstChart({ entity, project }: Place) {
  const { data } = useQuery(
    tableQuery(
      { entity, project },
      {
        filter: '',
        search: '',
        sort: [{ column: 'created', descending: false }],
        columns: STROKE_COLUMNS,
        offset: 0,
        limit: 1,
      },
    ),
  )
  const id = data?.runs[0]
  if (id === undefined) return <Waiting height={320} />
  return (
    <Metric
      key={id}
      id={id}
      name={String(data?.columns.name?.[0] ?? id)}
      ordinal={data?.columns.ordinal?.[0]}
      entity={entity}
      project={project}
    />
  )
}

function Metric({ id, name, ordinal, entity, project }: Place & { id: string; name: string; ordinal: unknown }) {
  const scheme = useComputedColorScheme('light')
  const path = `${entity}/${project}/${id}`
  const { data: keys } = useQuery(commonKeysQuery([path], 'history'))
  const first = keys?.find((one) => one.type === 'number' && !one.key.startsWith('_'))?.key
  if (!first) {
    return (
      <Text c="dimmed" role="status">
        {strings.home.noPoints}
      </Text>
    )
  }
  const run = { path, id, name, stroke: strokeFor(ordinal, null, scheme) }
  return (
    <Panel
      entity={entity}
      project={project}
      runs={[run]}
      spec={{ kind: 'line', id: 'first', section: '', keys: [first], height: 320 }}
    />
  )
}
