import { useQuery } from '@tanstack/react-query'
import { Navigate } from '@tanstack/react-router'
import { loadView } from '../api/views'
import { useWhoami, type Shared } from '../api/whoami'
import { projectAddress, runAddress } from '../lib/pageAddress'
import { Failed } from '../shell/Failed'
import { Waiting } from '../shell/Waiting'

/** Lead to what a share link shows. */
export function SharedHome() {
  const shared = useWhoami()?.shared
  if (!shared) return <Waiting />
  if (shared.kind === 'view') return <SharedView shared={shared} />
  return <Navigate to={addressOf(shared)} replace />
}

function SharedView({ shared }: { shared: Shared }) {
  const { entity, project, target } = shared
  const { data, error, refetch } = useQuery({
    queryKey: ['project', entity, project, 'view', target],
    queryFn: () => loadView({ entity, project }, target ?? ''),
  })
  if (error) return <Failed error={error} reset={() => void refetch()} />
  if (data === undefined) return <Waiting />
  return <Navigate to={projectAddress(entity, project)} search={{ v: data } as never} replace />
}

function addressOf({ entity, project, kind, target }: Shared): string {
  if (kind === 'run') return runAddress({ entity, project, id: target ?? '' })
  return kind === 'report' ? `/reports/${encodeURIComponent(target ?? '')}` : projectAddress(entity, project)
}
