/** How many bytes of files an account or team uses. */
import { queryOptions } from '@tanstack/react-query'
import { data, GET } from './client'

export const usageQuery = (entity: string) =>
  queryOptions({
    queryKey: ['usage', entity],
    queryFn: ({ signal }) => data(GET('/api/usage/{entity}', { params: { path: { entity } }, signal })),
  })
