/** Accounts and teams. */
import { data, DELETE, GET, PATCH, POST, PUT, type Shapes } from './client'
import type { Source } from './pages'
import { queryClient } from './queries'
import { whoamiQuery, type Role } from './whoami'

export type AccountInfo = Shapes['AccountInfo']
export type TeamInfo = Shapes['TeamInfo']
export type Member = Shapes['MemberInfo']

export const allAccounts: Source<AccountInfo> = {
  key: ['accounts'],
  fetch: async (query, signal) => {
    const { accounts: items, ...rest } = await data(GET('/api/accounts', { params: { query }, signal }))
    return { items, ...rest }
  },
}

export const allTeams: Source<TeamInfo> = {
  key: ['teams'],
  fetch: async (query, signal) => {
    const { teams: items, ...rest } = await data(GET('/api/teams', { params: { query }, signal }))
    return { items, ...rest }
  },
}

export const membersOf = (team: string): Source<Member> => ({
  key: ['members', team],
  fetch: async (query, signal) => {
    const params = { path: { team }, query }
    const { members: items, ...rest } = await data(GET('/api/teams/{team}/members', { params, signal }))
    return { items, ...rest }
  },
})

/** Refetch what a change of accounts, teams or members concerns, own rights included, also if it was refused. */
async function changing<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } finally {
    for (const kind of ['accounts', 'teams', 'members', 'project', 'projects']) {
      void queryClient.invalidateQueries({ queryKey: [kind] })
    }
    await queryClient.invalidateQueries({ queryKey: whoamiQuery.queryKey })
  }
}

const named = (name: string) => ({ params: { path: { name } } })

export const addAccount = (body: Pick<Shapes['NewAccount'], 'name' | 'email'> & { admin: boolean }) =>
  changing(data(POST('/api/accounts', { body })))

export type AccountChange = Shapes['AccountChanges']

export const changeAccount = (name: string, body: AccountChange) =>
  changing(data(PATCH('/api/accounts/{name}', { ...named(name), body })))

/** Make a one-time link with which the account sets a new password. */
export const resetAccount = (name: string) => changing(data(POST('/api/accounts/{name}/reset', named(name))))

/** Remove an account. `heir`: the team or server admin that gets its projects. */
export const removeAccount = (name: string, heir: string | null) =>
  changing(data(DELETE('/api/accounts/{name}', { params: { path: { name }, query: { runs_to: heir } } })))

export const addTeam = (name: string) => changing(data(POST('/api/teams', { body: { name } })))

export const renameTeam = (team: string, name: string) =>
  changing(data(PATCH('/api/teams/{team}', { params: { path: { team } }, body: { name } })))

/** Remove a team without projects. */
export const removeTeam = (team: string) => changing(data(DELETE('/api/teams/{team}', { params: { path: { team } } })))

/** Add a member or change its role. `was`: the role that the reader saw; the server answers 409 if it is another one. */
export const setMember = (team: string, account: string, role: Role, was: Role | 'none') =>
  changing(
    data(PUT('/api/teams/{team}/members/{account}', { params: { path: { team, account } }, body: { role, was } })),
  )

export const removeMember = (team: string, account: string, was: Role) =>
  changing(data(DELETE('/api/teams/{team}/members/{account}', { params: { path: { team, account }, query: { was } } })))
