/** How the own account signs in: with a password, and with providers. */
import { queryOptions } from '@tanstack/react-query'
import { data, DELETE, GET, POST } from './client'
import { queryClient } from './queries'

export const waysQuery = queryOptions({
  queryKey: ['ways'],
  queryFn: ({ signal }) => data(GET('/api/account/identities', { signal })),
})

const named = (provider: string) => ({ params: { path: { provider } } })

/** Return the provider's address, where the account is connected; it leads back to the path `next`. */
export const connect = async (provider: string, next: string): Promise<string> =>
  (await data(POST('/api/account/identities/{provider}', { ...named(provider), body: { next } }))).url

export async function disconnect(provider: string): Promise<void> {
  await data(DELETE('/api/account/identities/{provider}', named(provider)))
  await queryClient.invalidateQueries({ queryKey: waysQuery.queryKey })
}
