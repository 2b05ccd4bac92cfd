/** Share links of a project. */
import { call } from './client'
import type { Place } from './paths'
import { queryClient } from './queries'
import type { Shared } from './whoami'

export type LinkKind = Shared['kind']

export interface ShareLink {
  id: string
  kind: LinkKind
  target: string | null
  creator: string | null
  created: number
  expires: number | null
  opened: number
  last_opened: number | null
}

export interface MadeLink {
  id: string
  url: string
}

const projectPath = ({ entity, project }: Place) =>
  `/api/projects/${[entity, project].map(encodeURIComponent).join('/')}`

export const linksKey = ({ entity, project }: Place) => ['links', entity, project]
export const linksPath = (place: Place) => `${projectPath(place)}/links`

const changed = (place: Place) => queryClient.invalidateQueries({ queryKey: linksKey(place) })

/** Make a share link; its address is in this answer only. */
export async function makeLink(
  place: Place,
  kind: LinkKind,
  target: string | null,
  days: number | null,
): Promise<MadeLink> {
  const made = await call<MadeLink>('POST', linksPath(place), {
    kind,
    ...(target !== null && { target }),
    ...(days !== null && { expires_days: days }),
  })
  await changed(place)
  return made
}

export async function revokeLink(place: Place, id: string): Promise<void> {
  await call('DELETE', `${linksPath(place)}/${encodeURIComponent(id)}`)
  await changed(place)
}
