import { Anchor, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { reachesProject } from '../access/rights'
import { useWhoami } from '../api/whoami'
import { pathOf, type Place } from '../api/paths'
import { data, GET } from '../api/client'
import { runAddress } from '../lib/pageAddress'
import { strings } from '../strings'
import { originOf } from './environment'
import { Fact, Facts } from './Facts'
import type { TabProps } from './props'

const FORKS = 20

const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')

const sameProject = (a: Place, b: Place) => a.entity === b.entity && a.project === b.project

/** Show which run this one was forked from, and its forks. */
export function Lineage({ run }: TabProps) {
  const whoami = useWhoami()
  const { data: forks = [] } = useQuery({
    // A link to a part of the project shows no list of its runs.
    enabled: reachesProject(whoami) && whoami?.shared?.kind !== 'view',
    queryKey: ['table', run.entity, run.project, 'forks', run.id],
    queryFn: async () => {
      const filters = JSON.stringify({ forked_from: { $regex: `^${escaped(pathOf(run))}\\?` } })
      const params = { path: { entity: run.entity, project: run.project }, query: { filters, limit: FORKS } }
      return (await data(GET('/api/runs/{entity}/{project}', { params }))).runs
    },
  })
  const origin = run.forked_from ? originOf(run.forked_from) : null
  if (!run.forked_from && !forks.length) return null
  return (
    <Facts title={strings.run.lineage}>
      {run.forked_from && (
        <Fact name={strings.run.forkedFrom}>
          {origin && (whoami?.kind !== 'link' || (reachesProject(whoami) && sameProject(origin, run))) ? (
            <>
              <Anchor component={Link} to={runAddress(origin)}>
                {origin.id}
              </Anchor>{' '}
              <Text span size="sm" c="dimmed">
                {strings.run.atStep(origin.step)}
              </Text>
            </>
          ) : (
            run.forked_from
          )}
        </Fact>
      )}
      {forks.length > 0 && (
        <Fact name={strings.run.forks}>
          {forks.map((fork) => (
            <div key={fork.id}>
              <Anchor component={Link} to={runAddress(fork)}>
                {fork.name}
              </Anchor>{' '}
              <Text span size="sm" c="dimmed">
                {strings.run.atStep(originOf(fork.forked_from ?? '')?.step ?? '?')}
              </Text>
            </div>
          ))}
        </Fact>
      )}
    </Facts>
  )
}
