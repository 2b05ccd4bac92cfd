/** Who is signed in, and which roles they have. */
import { queryOptions, useQuery } from '@tanstack/react-query'
import { data, GET, type Shapes } from './client'

export type Whoami = Shapes['Whoami']
export type Role = Whoami['roles'][string]
/** What a share link shows. */
export type Shared = Shapes['SharedPart']

export const whoamiQuery = queryOptions({
  queryKey: ['whoami'],
  queryFn: ({ signal }) => data(GET('/api/whoami', { signal })),
})

/** Who uses this page; undefined until the server has said. */
export const useWhoami = (): Whoami | undefined => useQuery(whoamiQuery).data
