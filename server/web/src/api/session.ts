/**
 * Where the server is, and what proves that a page may ask it: a secret that belongs to this origin with its port. The
 * cookie alone would not do, since browsers send it to whatever else listens on this host.
 */

const meta =
  typeof document === 'undefined' ? undefined : document.querySelector<HTMLMetaElement>('meta[name="root"]')?.content

/** The prefix under which a proxy has the server, mostly none. */
export const ROOT = meta && !meta.includes('{') ? meta : ''

const KEPT = `tracker page ${ROOT}`
let kept: string | null = null

/** Take the secret that signing in left behind the `#` of the address, and leave it in no history. */
export function takeSecret(): void {
  const match = /^#page=([\w-]+)$/.exec(window.location.hash)
  if (!match) return
  kept = match[1]!
  try {
    localStorage.setItem(KEPT, kept)
  } catch {
    // Without storage this page alone is signed in.
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
    // Storage is blocked: nothing was kept.
  }
}

/** A path of the API as an address for elements that can send no header: images, frames, downloads, streams. */
export const signed = (path: string): string => `${ROOT}${path}${path.includes('?') ? '&' : '?'}page=${secret()}`
