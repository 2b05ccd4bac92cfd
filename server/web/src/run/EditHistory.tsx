import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { data, GET, type Shapes } from '../api/client'
import { useWhoami } from '../api/whoami'
import { ago } from '../lib/format'
import { strings } from '../strings'
import { Fact, Facts } from './Facts'
import type { TabProps } from './props'

const SHOWN = 10

/** Show who edited the run last. Without accounts there is nobody to name. */
export function EditHistory({ run }: TabProps) {
  const whoami = useWhoami()
  const { data: found } = useQuery({
    enabled: whoami?.mode === 'team' && whoami.kind !== 'link',
    queryKey: ['run', run.entity, run.project, run.id, 'edits'],
    queryFn: () => {
      const path = { entity: run.entity, project: run.project, id: run.id }
      return data(GET('/api/runs/{entity}/{project}/{id}/edits', { params: { path, query: { limit: SHOWN } } }))
    },
  })
  if (!found?.edits.length) return null
  return (
    <Facts title={strings.run.edits}>
      {found.edits.map((edit) => (
        <Fact key={edit.time} name={ago(edit.time)}>
          {edit.user ?? strings.run.unknownUser}{' '}
          <Text span size="sm" c="dimmed">
            {strings.run.changed(changedIn(edit))}
          </Text>
        </Fact>
      ))}
    </Facts>
  )
}

/** What an edit changed, by the names that the dashboard uses. */
export function changedIn({ changes }: Shapes['Edit']): string[] {
  return Object.entries(changes).flatMap(([kind, members]) => {
    if (kind === 'stop') return [strings.run.stopRequest]
    const names = members && typeof members === 'object' ? Object.keys(members) : []
    return kind === 'meta' ? names.map((name) => (name === 'job_type' ? strings.run.jobType : name)) : [kind]
  })
}
