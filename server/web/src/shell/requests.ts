import { ApiError, restore } from '../api/client'

/** Send JSON and return the JSON of the answer; raises `ApiError`, whose `status` 0 means that no server answered. */
export async function send<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  let response
  try {
    response = await fetch(path, {
      method,
      signal,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
  } catch (error) {
    if (signal?.aborted) throw error
    throw new ApiError(0, 'The server cannot be reached.')
  }
  const said: unknown = await response.json().catch(() => null)
  if (!response.ok) {
    const text = (said as { error?: unknown } | null)?.error
    throw new ApiError(response.status, text ? String(text) : `The server answered ${response.status}.`)
  }
  return restore(said) as T
}

/** `/api/projects/{entity}/{project}` and what follows */
export const projectApi = (entity: string, project: string, rest = '') =>
  `/api/projects/${encodeURIComponent(entity)}/${encodeURIComponent(project)}${rest}`
