/** Comments on runs and reports. */
import { queryOptions } from '@tanstack/react-query'
import { data, DELETE, GET, PATCH, POST, type Shapes } from './client'
import type { Source } from './pages'
import { pathOf, placeOf, type Place } from './paths'
import { queryClient } from './queries'

export type Comment = Shapes['Comment']

/** What comments are about: a run or a report of a project. */
export type Subject = Place & ({ run: string } | { report: string })

const queryOf = (subject: Subject): { run: string } | { report: string } =>
  'run' in subject ? { run: pathOf({ ...placeOf(subject), id: subject.run }) } : { report: subject.report }

// Below the keys of the run or the project, so that the live stream's changes concern them.
const keyOf = (subject: Subject) =>
  'run' in subject
    ? ['run', subject.entity, subject.project, subject.run, 'comments']
    : ['project', subject.entity, subject.project, 'comments', subject.report]

/** The comments on a run or a report, the oldest first. */
export const commentsOf = (subject: Subject): Source<Comment> => ({
  key: keyOf(subject),
  fetch: async ({ cursor, limit }, signal) => {
    const query = { ...queryOf(subject), cursor, limit }
    const { comments: items, ...rest } = await data(GET('/api/comments', { params: { query }, signal }))
    return { items, ...rest }
  },
})

async function changed<T>(subject: Subject, answer: Promise<T>): Promise<T> {
  const result = await answer
  await queryClient.invalidateQueries({ queryKey: keyOf(subject) })
  return result
}

export const addComment = (subject: Subject, text: string) =>
  changed(subject, data(POST('/api/comments', { params: { query: queryOf(subject) }, body: { text } })))

export const editComment = (subject: Subject, id: number, text: string) =>
  changed(subject, data(PATCH('/api/comments/{id}', { params: { path: { id } }, body: { text } })))

export const deleteComment = (subject: Subject, id: number) =>
  changed(subject, data(DELETE('/api/comments/{id}', { params: { path: { id } } })))

/** The names that begin with a text and that a comment in the project can mention. */
export const mentionsQuery = (place: Place, typed: string) =>
  queryOptions({
    queryKey: ['mentions', place.entity, place.project, typed],
    queryFn: async ({ signal }) => {
      const query = { ...placeOf(place), q: typed, limit: 8 }
      return (await data(GET('/api/mentions', { params: { query }, signal }))).names
    },
  })
