/** A project with its saved views. */
import { queryOptions } from '@tanstack/react-query'
import { data, DELETE, GET, PUT, type Shapes } from './client'
import { placeOf, type Place } from './paths'
import { queryClient } from './queries'

export type Project = Shapes['Project']

const keyOf = ({ entity, project }: Place) => ['project', entity, project]

export const projectQuery = (place: Place) =>
  queryOptions({
    queryKey: keyOf(place),
    queryFn: ({ signal }) =>
      data(GET('/api/projects/{entity}/{project}', { params: { path: placeOf(place) }, signal })),
  })

const viewsChanged = (place: Place) => queryClient.invalidateQueries({ queryKey: keyOf(place) })

const viewPath = (place: Place, name: string) => ({ params: { path: { ...placeOf(place), name } } })

export async function loadView(place: Place, name: string): Promise<unknown> {
  return (await data(GET('/api/projects/{entity}/{project}/views/{name}', viewPath(place, name)))).view
}

export async function saveView(place: Place, name: string, view: unknown): Promise<void> {
  await data(PUT('/api/projects/{entity}/{project}/views/{name}', { ...viewPath(place, name), body: { view } }))
  await viewsChanged(place)
}

export async function deleteView(place: Place, name: string): Promise<void> {
  await data(DELETE('/api/projects/{entity}/{project}/views/{name}', viewPath(place, name)))
  await viewsChanged(place)
}
