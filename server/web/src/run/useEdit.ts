import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { RunInfo } from '../api/client'
import { editRuns } from '../api/edits'
import { showError } from '../shell/showError'

/** What users can change about a run; `color: null` restores the default color. */
export type Changes = Partial<Pick<RunInfo, 'name' | 'notes' | 'group' | 'job_type' | 'color' | 'tags'>>

/** Change one run. Changes show at once and are reverted if the server refuses them. */
export function useEdit(run: RunInfo) {
  const client = useQueryClient()
  const key = ['run', run.entity, run.project, run.id]
  return useMutation({
    mutationFn: (set: Changes) => editRuns(run, [run.id], { set }),
    onMutate: async (set) => {
      await client.cancelQueries({ queryKey: key, exact: true })
      const before = client.getQueryData<RunInfo>(key)
      if (before) client.setQueryData<RunInfo>(key, { ...before, ...set })
      return before
    },
    onError: (error, _set, before) => {
      if (before) client.setQueryData(key, before)
      showError(error)
    },
  })
}
