import createClient from 'openapi-fetch'
import { setConnection } from './connection'
import { ROOT, secret } from './session'
import { strings } from '../strings'
import type { components, paths } from './schema'

/** The objects of the API, as the server describes them. */
export type Shapes = components['schemas']
export type RunInfo = Shapes['RunInfo']
export type ProjectInfo = Shapes['ProjectInfo']

/** The server's error, with its text; `status` is 0 if it could not be reached. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
  }
}

/** An invalid filter, and the position of the error in its text. */
export class FilterError extends ApiError {
  constructor(
    message: string,
    readonly position: number,
    readonly length: number,
  ) {
    super(400, message)
  }
}

const PAGE = 'x-tracker-page'

let forbidden = () => {}

/** Call `act` when the server refuses a change, which the dashboard does not offer to those who it knows may not. */
export function whenForbidden(act: () => void): void {
  forbidden = act
}

const client = createClient<paths>({
  baseUrl: ROOT,
  fetch: async (request) => {
    request.headers.set(PAGE, secret())
    const response = await fetch(request)
    if (response.status === 403 && request.method !== 'GET') forbidden()
    return response
  },
})

export const { GET, POST, PUT, PATCH, DELETE } = client

/** Return the data of an answer of `GET`, `POST`, …; throws `ApiError`, or `FilterError` for an invalid filter. */
export async function data<T>(answer: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  let got: { data?: T; error?: unknown; response: Response }
  try {
    got = await answer
  } catch (error) {
    if (isAbort(error)) throw error
    throw unreachable()
  }
  if (!got.response.ok) throw errorOf(got.error, got.response)
  return restore(got.data) as T
}

/** Fetch bytes, such as a frame; throws `ApiError`. */
export const bytes = async (path: string, init: RequestInit): Promise<ArrayBuffer> =>
  (await request(path, init)).arrayBuffer()

/** Fetch stored JSON; throws `ApiError`. */
export const storedJson = async (path: string, signal?: AbortSignal): Promise<unknown> =>
  restore(await (await request(path, { signal })).json().catch(() => null))

async function request(path: string, init: RequestInit): Promise<Response> {
  let response: Response
  try {
    response = await fetch(ROOT + path, {
      ...init,
      headers: { ...(init.headers as Record<string, string>), [PAGE]: secret() },
    })
  } catch (error) {
    if (isAbort(error)) throw error
    throw unreachable()
  }
  if (response.ok) return response
  throw errorOf(await response.json().catch(() => null), response)
}

const isAbort = (error: unknown): boolean => error instanceof DOMException && error.name === 'AbortError'

const unreachable = () => new ApiError(0, strings.errors.unreachable)

function errorOf(answer: unknown, response: Response): ApiError {
  if (response.status === 401) setConnection('signed-out')
  const { error, position, length } =
    ((typeof answer === 'object' ? answer : null) as Partial<Shapes['FilterError']>) ?? {}
  const message = error === undefined ? `The server answered ${response.status} ${response.statusText}.` : String(error)
  return typeof position === 'number'
    ? new FilterError(message, position, length ?? 1)
    : new ApiError(response.status, message)
}

/** Turn the run log's `{_type: float|int}` objects into numbers, in place; other `_type` objects are media and stay. */
export function restore(value: unknown): unknown {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) value[i] = restore(value[i])
    return value
  }
  if (value !== null && typeof value === 'object') {
    const members = value as Record<string, unknown>
    if (members._type === 'float') return Number(members.value)
    if (members._type === 'int') return BigInt(members.value as string)
    for (const key in members) members[key] = restore(members[key])
  }
  return value
}
