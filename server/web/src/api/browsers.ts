/** Signed-in browsers. */
import { queryOptions } from '@tanstack/react-query'
import { data, DELETE, GET } from './client'

export const browsersQuery = queryOptions({
  queryKey: ['sessions'],
  queryFn: async () => (await data(GET('/api/sessions'))).sessions,
  staleTime: 0,
})

export const endSession = (id: string) => data(DELETE('/api/sessions/{id}', { params: { path: { id } } }))
