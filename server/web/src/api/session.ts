/**
 * The server's address, and the secret that proves that a page is signed in. The secret is stored for this origin, port
 * included. The cookie alone is not enough, since browsers send it to every port of the host.
 */

const meta =
  typeof document === 'undefined' ? undefined : document.querySelector<HTMLMetaElement>('meta[name="root"]')?.content

/** The path prefix of the server behind a proxy; usually empty. */
export const ROOT = meta && !meta.includes('{') ? meta : ''

/** Whether this page was opened through a share link, which is part of the root. */
export const IS_SHARED = /\/s\/[^/]+$/.test(ROOT)

const KEPT = `tracker page ${ROOT}`
let kept: string | null = null

/** Take the secret from the address, where signing in puts it after `#`, and remove it from the history. */
export function takeSecret(): void {
  const match = /^#page=([\w-]+)$/.exec(window.location.hash)
  if (!match) return
  kept = match[1]!
  try {
    localStorage.setItem(KEPT, kept)
  } catch {
    // Without storage, only this page is signed in.
  }
  window.history.replaceState(null, '', window.location.pathname + window.location.search)
}

export function secret(): string {
  try {
    return localStorage.getItem(KEPT) ?? kept ?? ''
  } catch {
    return kept ?? ''
  }
}

export function forgetSecret(): void {
  kept = null
  try {
    localStorage.removeItem(KEPT)
  } catch {
    // Storage is blocked, so nothing was stored.
  }
}

/** Call `act` when another tab signs in or out. Returns a function that stops. */
export function onSecret(act: () => void): () => void {
  const onStorage = (event: StorageEvent) => {
    if (event.key === KEPT && event.newValue !== event.oldValue) act()
  }
  window.addEventListener('storage', onStorage)
  return () => window.removeEventListener('storage', onStorage)
}

/** Return the address of an API path for elements that cannot send headers: images, frames, downloads, streams. */
export const signed = (path: string): string => `${ROOT}${path}${path.includes('?') ? '&' : '?'}page=${secret()}`
