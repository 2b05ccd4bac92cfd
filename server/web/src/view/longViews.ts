/**
 * Puts views into addresses. Servers and proxies accept only a few kilobytes, so a longer view is stored in the browser
 * and the address holds its name.
 */

const MOST = 16_000
const KEPT = 20
const PREFIX = 'tracker view '

/** Return the view parameter of an address. */
export function written(members: Record<string, unknown> | undefined): unknown {
  if (!members) return undefined
  const text = JSON.stringify(members)
  if (new URLSearchParams({ text }).toString().length <= MOST) return members
  const name = `~${digest(text)}`
  try {
    const others = Object.keys(localStorage).filter((key) => key.startsWith(PREFIX) && key !== PREFIX + name)
    for (const key of others.slice(0, Math.max(0, others.length - KEPT + 1))) localStorage.removeItem(key)
    localStorage.setItem(PREFIX + name, text)
  } catch {
    // If the browser cannot store the view, it lasts as long as the page.
  }
  return name
}

/** Return the stored view that an address names. */
export function read(said: unknown): unknown {
  if (typeof said !== 'string' || !said.startsWith('~')) return said
  try {
    return localStorage.getItem(PREFIX + said) ?? undefined
  } catch {
    return undefined
  }
}

/** Hash a text to 64 bits (FNV-1a). */
function digest(text: string): string {
  let hash = 0xcbf29ce484222325n
  for (let i = 0; i < text.length; i++) hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(i))) * 0x100000001b3n)
  return hash.toString(36)
}
