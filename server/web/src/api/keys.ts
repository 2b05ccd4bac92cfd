/** API keys of the own account, service keys of teams, and the own password. */
import { data, DELETE, GET, POST, PUT, type Shapes } from './client'
import type { Source } from './pages'
import { queryClient } from './queries'

export type ApiKey = Shapes['ApiKeyInfo']
export type Scope = ApiKey['scope']

/** Whose keys: a team's, or with null those of the own account. */
type Owner = string | null

const keyOf = (team: Owner) => ['keys', team]

export const keysOf = (team: Owner): Source<ApiKey> => ({
  key: keyOf(team),
  fetch: async (query, signal) => {
    const { keys: items, ...rest } = await data(
      team === null
        ? GET('/api/account/keys', { params: { query }, signal })
        : GET('/api/teams/{team}/keys', { params: { path: { team }, query }, signal }),
    )
    return { items, ...rest }
  },
})

const changed = (team: Owner) => queryClient.invalidateQueries({ queryKey: keyOf(team) })

/** Make a key; the key itself is in this answer only. `days` null: it never expires. */
export async function makeKey(team: Owner, name: string, scope: Scope, days: number | null) {
  const body = { name, scope, expires_days: days }
  const made = await data(
    team === null
      ? POST('/api/account/keys', { body })
      : POST('/api/teams/{team}/keys', { params: { path: { team } }, body }),
  )
  await changed(team)
  return made
}

export async function revokeKey(team: Owner, id: string): Promise<void> {
  await data(
    team === null
      ? DELETE('/api/account/keys/{id}', { params: { path: { id } } })
      : DELETE('/api/teams/{team}/keys/{id}', { params: { path: { team, id } } }),
  )
  await changed(team)
}

export const changePassword = (old: string, fresh: string) =>
  data(PUT('/api/account/password', { body: { old, new: fresh } }))
