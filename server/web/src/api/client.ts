import createClient from 'openapi-fetch'
import { ROOT, secret } from './session'
import type { components, paths } from './schema'

export type Shapes = components['schemas']
export type RunInfo = Shapes['RunInfo']
export type ProjectInfo = Shapes['ProjectInfo']

/** What the server said was wrong, in its own words; `status` 0 when it could not be reached. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** The server's whole answer, which may say more */
    readonly answer?: unknown,
  ) {
    super(message)
  }
}

const PAGE = 'x-tracker-page'

const client = createClient<paths>({
  baseUrl: ROOT,
  fetch: (request) => {
    request.headers.set(PAGE, secret())
    return fetch(request)
  },
})

export const { GET, POST, DELETE } = client

/** Return the data of an answer of `GET`, `POST`, …; raises `ApiError`. */
export async function data<T>(answer: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  let got
  try {
    got = await answer
  } catch {
    throw new ApiError(0, 'The server cannot be reached.')
  }
  if (!got.response.ok) throw new ApiError(got.response.status, messageOf(got.error, got.response))
  return restore(got.data) as T
}

/** Fetch bytes, such as a frame; raises `ApiError`. */
export const bytes = async (path: string, init: RequestInit): Promise<ArrayBuffer> =>
  (await request(path, init)).arrayBuffer()

/** Send JSON and return the JSON of the answer; raises `ApiError`. */
export async function send<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const headers: HeadersInit = body === undefined ? {} : { 'content-type': 'application/json' }
  const response = await request(path, { method, signal, headers, body: body === undefined ? undefined : JSON.stringify(body) })
  return restore(await response.json().catch(() => null)) as T
}

async function request(path: string, init: RequestInit): Promise<Response> {
  let response
  try {
    response = await fetch(ROOT + path, { ...init, headers: { ...(init.headers as Record<string, string>), [PAGE]: secret() } })
  } catch (error) {
    if (init.signal?.aborted) throw error
    throw new ApiError(0, 'The server cannot be reached.')
  }
  if (response.ok) return response
  const answer: unknown = await response.json().catch(() => null)
  throw new ApiError(response.status, messageOf(answer, response), answer)
}

function messageOf(error: unknown, response: Response): string {
  if (error && typeof error === 'object' && 'error' in error) return String(error.error)
  return `The server answered ${response.status} ${response.statusText}.`
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

/** `entity/project/id` of a run, as the chart API and links name it. */
export const pathOf = (run: { entity: string; project: string; id: string }): string =>
  `${run.entity}/${run.project}/${run.id}`

/** The API's address of a run. */
export const urlOf = (run: { entity: string; project: string; id: string }): string =>
  `/api/runs/${[run.entity, run.project, run.id].map(encodeURIComponent).join('/')}`
