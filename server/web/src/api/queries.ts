import { QueryClient, queryOptions } from '@tanstack/react-query'
import { ApiError, data, GET, POST, whenForbidden, type Shapes } from './client'

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000, // the live stream reports changes (live.ts)
      // Do not repeat what the server refused; repeat what did not reach it.
      retry: (count, error) => count < 3 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
    },
  },
})

// Rights have changed since they were fetched.
whenForbidden(() => {
  for (const kind of ['whoami', 'project']) void queryClient.invalidateQueries({ queryKey: [kind] })
})

export const projectsQuery = queryOptions({
  queryKey: ['projects'],
  queryFn: async () => (await data(GET('/api/projects'))).projects,
})

export const runQuery = (entity: string, project: string, id: string) =>
  queryOptions({
    queryKey: ['run', entity, project, id],
    queryFn: () => data(GET('/api/runs/{entity}/{project}/{id}', { params: { path: { entity, project, id } } })),
  })

/** A key that some of several runs have logged. `runs`: the paths of these runs, for keys without numbers. */
export type CommonKey = Pick<Shapes['CommonKey'], 'key' | 'type'> &
  Partial<Pick<Shapes['CommonKey'], 'x'>> & { runs?: string[] }

export const commonKeysQuery = (runs: string[], kind: 'history' | 'system') =>
  queryOptions({
    queryKey: ['charts', { runs }, 'keys', kind],
    queryFn: async (): Promise<CommonKey[]> => {
      if (!runs.length) return []
      const { keys } = await data(POST('/api/keys', { body: { runs, kind } }))
      return keys.map(({ key, type, x, runs: members }) => ({ key, type, x, runs: members?.map((at) => runs[at]!) }))
    },
  })
