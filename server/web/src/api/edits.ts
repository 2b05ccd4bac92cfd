/** Edits, trashes, restores and deletes runs. */
import { data, DELETE, POST, type Shapes } from './client'
import { pathOf, placeOf, type Place } from './paths'
import { queryClient } from './queries'

export type Edit = Omit<Shapes['EditRequest'], 'runs'>

const pathsOf = (place: Place, ids: string[]) => ids.map((id) => pathOf({ ...placeOf(place), id }))

/** Wait for a change, then refetch all queries about runs. The live stream reports it too, but a moment later. */
async function changing<T>(place: Place, answer: Promise<T>): Promise<T> {
  const result = await answer
  for (const kind of ['table', 'groups', 'columns', 'run', 'charts']) {
    void queryClient.invalidateQueries({ queryKey: kind === 'charts' ? [kind] : [kind, place.entity, place.project] })
  }
  void queryClient.invalidateQueries({ queryKey: ['projects'] })
  return result
}

export const editRuns = (place: Place, ids: string[], edit: Edit) =>
  changing(place, data(POST('/api/edits', { body: { runs: pathsOf(place, ids), ...edit } })))

export const trashRuns = (place: Place, ids: string[]) =>
  changing(place, data(POST('/api/trash', { body: { runs: pathsOf(place, ids) } })))

export const restoreRuns = (place: Place, ids: string[]) =>
  changing(place, data(POST('/api/trash/restore', { body: { runs: pathsOf(place, ids) } })))

/** Delete runs permanently. */
export const destroyRuns = (place: Place, ids: string[]) =>
  changing(
    place,
    Promise.all(
      ids.map((id) =>
        data(DELETE('/api/runs/{entity}/{project}/{id}', { params: { path: { ...placeOf(place), id } } })),
      ),
    ),
  )
