/** Changes of a whole project, and moves of its runs. */
import { data, DELETE, PATCH, POST, type Shapes } from './client'
import { pathOf, placeOf, type Place } from './paths'
import { queryClient } from './queries'
import type { Project } from './views'

export type Visibility = Project['visibility']

/** Refetch what a change of projects concerns. */
async function changing<T>(answer: Promise<T>): Promise<T> {
  const result = await answer
  for (const kind of ['projects', 'project', 'table', 'groups', 'columns']) {
    void queryClient.invalidateQueries({ queryKey: [kind] })
  }
  return result
}

export const changeProject = (place: Place, body: Shapes['ProjectChange']) =>
  changing(data(PATCH('/api/projects/{entity}/{project}', { params: { path: placeOf(place) }, body })))

/** Copy a project with its runs; done when the copy is complete. */
export const copyProject = (place: Place, { entity, project: name }: Place) =>
  changing(
    data(POST('/api/projects/{entity}/{project}/copy', { params: { path: placeOf(place) }, body: { entity, name } })),
  )

export const deleteProject = (place: Place) =>
  changing(data(DELETE('/api/projects/{entity}/{project}', { params: { path: placeOf(place) } })))

export const moveRuns = (place: Place, ids: string[], to: Place) =>
  changing(data(POST('/api/runs/move', { body: { runs: ids.map((id) => pathOf({ ...place, id })), ...placeOf(to) } })))
