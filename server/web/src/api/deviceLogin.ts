/** Programs that wait to be signed in with a short code: `tracker login`. */
import { queryOptions } from '@tanstack/react-query'
import { data, DELETE, GET, POST, type Shapes } from './client'
import type { Scope } from './keys'

export type WaitingDevice = Shapes['WaitingLogin']
export type DeviceScope = Exclude<Scope, 'read'>

export const waitingDevice = (code: string) =>
  queryOptions({
    queryKey: ['device login', code],
    queryFn: ({ signal }) => data(GET('/api/login/device/{code}', { params: { path: { code } }, signal })),
    retry: false,
    staleTime: Number.POSITIVE_INFINITY, // each question for a wrong code counts as a guess
  })

/** Let the program have a key of this scope, or with null refuse it. */
export const answerDevice = (code: string, scope: DeviceScope | null) =>
  data(
    scope === null
      ? DELETE('/api/login/device/{code}', { params: { path: { code } } })
      : POST('/api/login/device/{code}', { params: { path: { code } }, body: { scope } }),
  )
