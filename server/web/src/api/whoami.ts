/** Who is signed in, and what they may do in each project. */
import { queryOptions, useQuery } from '@tanstack/react-query'
import { call } from './client'

export interface Whoami {
  kind: 'owner' | 'account' | 'key' | 'link'
  name: string
  mode: 'personal' | 'team'
  is_admin: boolean
  roles: Record<string, Role>
  scope: 'read' | 'log' | 'all'
  shared: Shared | null
}
export type Role = 'viewer' | 'member' | 'admin'
/** What a share link shows. */
export interface Shared {
  entity: string
  project: string
  kind: 'project' | 'run' | 'view' | 'report'
  target: string | null
}

export const whoamiQuery = queryOptions({
  queryKey: ['whoami'],
  queryFn: ({ signal }) => call<Whoami>('GET', '/api/whoami', undefined, signal),
})

/** Who uses this page; undefined until the server has said. */
export const useWhoami = (): Whoami | undefined => useQuery(whoamiQuery).data
