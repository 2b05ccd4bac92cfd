import { queryOptions, useQuery } from '@tanstack/react-query'
import { data, GET, type Shapes } from '../../api/client'
import { urlOf, type RunPlace } from '../../api/paths'
import { fetchPart } from './fileContent'

/** A file of a run; `stored`: whether its content is uploaded. */
export type RunFile = Omit<Shapes['FileInfo'], 'size'> & { size: number }

export const filesQuery = (run: RunPlace) => {
  const { entity, project, id } = run
  return queryOptions({
    queryKey: ['run', entity, project, id, 'files'],
    queryFn: async (): Promise<RunFile[]> => {
      const params = { path: { entity, project, id } }
      const { files } = await data(GET('/api/runs/{entity}/{project}/{id}/files', { params }))
      return files.map((file) => ({ ...file, size: file.size ?? 0 }))
    },
  })
}

export const useFiles = (run: RunPlace) => useQuery(filesQuery(run))

/** Return the address that downloads a file. */
export const addressOf = (run: RunPlace, name: string) => `${urlOf(run)}/files/${encodeURIComponent(name)}`

/** Fetch the first bytes of a file, and whether there are more. */
export function useContent(run: RunPlace, file: RunFile | undefined, most: number) {
  return useQuery({
    // The key is the digest, so the content never changes.
    queryKey: ['content', run.entity, run.project, run.id, file?.digest, most],
    queryFn: ({ signal }) => fetchPart(`${urlOf(run)}/blobs/${file!.digest}`, most, file!.size, signal),
    enabled: Boolean(file?.stored),
    staleTime: Infinity,
  })
}
