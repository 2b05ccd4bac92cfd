/** What whoever uses the page may do. The server decides; the dashboard only leaves out what it would refuse. */
import { useQuery } from '@tanstack/react-query'
import type { Place } from '../api/paths'
import { IS_SHARED } from '../api/session'
import { tableQuery } from '../api/table'
import { projectQuery, type Project } from '../api/views'
import { useWhoami, type Whoami } from '../api/whoami'

/** The server's actions: see `roles.py`. */
export type Right =
  | 'read'
  | 'log'
  | 'edit'
  | 'delete_own'
  | 'delete'
  | 'share'
  | 'manage_project'
  | 'manage_members'
  | 'audit'
  | 'manage_server'

export type Rights = ReadonlySet<Right>

const NONE: Rights = new Set()
const ALL: Rights = new Set<Right>([
  ...(['read', 'log', 'edit', 'delete_own', 'delete', 'share'] as const),
  ...(['manage_project', 'manage_members', 'audit', 'manage_server'] as const),
])

const rightsIn = (project: Project): Right[] => project.rights as Right[]

/** Return the rights in a project; none until the server has said. */
export function useRights(entity: string, project: string): Rights {
  const whoami = useWhoami()
  const asks = whoami?.kind === 'account' || whoami?.kind === 'key'
  const { data } = useQuery({
    ...projectQuery({ entity, project }),
    select: rightsIn,
    enabled: asks && entity !== '' && project !== '',
  })
  return rightsOf(whoami, data)
}

/** Return whether the server has said what the rights in a project are, or that it cannot be read. */
export function useRightsKnown(entity: string, project: string): boolean {
  const whoami = useWhoami()
  const asks = whoami?.kind === 'account' || whoami?.kind === 'key'
  const { isPending } = useQuery({ ...projectQuery({ entity, project }), enabled: asks })
  return whoami !== undefined && !(asks && isPending)
}

const sets = new Map<string, Rights>()

/** Return the rights of someone; `said` is what the server said of an account. Equal rights are one object. */
export function rightsOf(whoami: Pick<Whoami, 'kind'> | undefined, said: Right[] | undefined): Rights {
  if (whoami?.kind === 'owner') return ALL
  if (whoami === undefined || whoami.kind === 'link' || said === undefined) return NONE
  const key = [...said].sort().join()
  let found = sets.get(key)
  if (!found) {
    found = new Set(said)
    sets.set(key, found)
  }
  return found
}

/** The most runs whose users are looked up before their deletion is offered. */
const MOST = 10_000

/** Return whether the reader may delete all of these runs: any, or only their own. */
export function useMayDelete(place: Place, rights: Rights, ids: string[], trashed = false): boolean {
  const me = useWhoami()?.name
  const asks = !rights.has('delete') && rights.has('delete_own') && ids.length > 0 && ids.length <= MOST
  const request = { filter: '', search: '', sort: [], columns: ['user'], offset: 0, limit: ids.length, ids, trashed }
  const { data: users } = useQuery({
    ...tableQuery(place, request),
    enabled: asks,
    select: (page) => page.columns.user ?? [],
  })
  if (!asks) return rights.has('delete')
  return users !== undefined && users.length === ids.length && users.every((one) => one === me)
}

/** Return whether the reader manages a team: its members, keys and name. */
export const manages = (whoami: Whoami | undefined, team: string): boolean =>
  whoami?.mode === 'team' && (whoami.is_admin || whoami.roles[team] === 'admin')

/** Return whether the reader may read an audit log: the whole server's, or that of a team. */
export const readsAudit = (whoami: Whoami): boolean =>
  whoami.mode === 'team' && (whoami.is_admin || Object.values(whoami.roles).includes('admin'))

/** Return whether the reader may open project pages: a share link may show only a run or a report. */
export const reachesProject = (whoami: Whoami | undefined): boolean =>
  whoami === undefined
    ? !IS_SHARED
    : whoami.kind !== 'link' || whoami.shared?.kind === 'project' || whoami.shared?.kind === 'view'
