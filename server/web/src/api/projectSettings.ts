/** Changes of a whole project, and moves of its runs. */
import { call } from './client'
import { pathOf, type Place } from './paths'
import { queryClient } from './queries'

export type Visibility = 'private' | 'internal'

export interface ProjectChange {
  visibility?: Visibility
  name?: string
  entity?: string
}

const pathTo = ({ entity, project }: Place) => `/api/projects/${[entity, project].map(encodeURIComponent).join('/')}`

/** Refetch what a change of projects concerns. */
async function changing<T>(answer: Promise<T>): Promise<T> {
  const result = await answer
  for (const kind of ['projects', 'project', 'table', 'groups', 'columns']) {
    void queryClient.invalidateQueries({ queryKey: [kind] })
  }
  return result
}

export const changeProject = (place: Place, body: ProjectChange) => changing(call('PATCH', pathTo(place), body))

export const copyProject = (place: Place, to: Place) =>
  changing(call('POST', `${pathTo(place)}/copy`, { entity: to.entity, name: to.project }))

export const deleteProject = (place: Place) => changing(call('DELETE', pathTo(place)))

export const moveRuns = (place: Place, ids: string[], to: Place) =>
  changing(
    call('POST', '/api/runs/move', {
      runs: ids.map((id) => pathOf({ ...place, id })),
      entity: to.entity,
      project: to.project,
    }),
  )
