/** Share links of a project. */
import { data, DELETE, GET, POST, type Shapes } from './client'
import type { Source } from './pages'
import { placeOf, type Place } from './paths'
import { queryClient } from './queries'

export type ShareLink = Shapes['LinkInfo']
export type LinkKind = ShareLink['kind']

const keyOf = ({ entity, project }: Place) => ['links', entity, project]

export const linksOf = (place: Place): Source<ShareLink> => ({
  key: keyOf(place),
  fetch: async (query, signal) => {
    const params = { path: placeOf(place), query }
    const { links: items, ...rest } = await data(GET('/api/projects/{entity}/{project}/links', { params, signal }))
    return { items, ...rest }
  },
})

const changed = (place: Place) => queryClient.invalidateQueries({ queryKey: keyOf(place) })

/** Make a share link; its address is in this answer only. `days` null: it never expires. */
export async function makeLink(place: Place, kind: LinkKind, target: string | null, days: number | null) {
  const body = { kind, target, expires_days: days }
  const made = await data(POST('/api/projects/{entity}/{project}/links', { params: { path: placeOf(place) }, body }))
  await changed(place)
  return made
}

export async function revokeLink(place: Place, id: string): Promise<void> {
  await data(DELETE('/api/projects/{entity}/{project}/links/{id}', { params: { path: { ...placeOf(place), id } } }))
  await changed(place)
}
