/**
 * Views in addresses. Servers and proxies take addresses of some kilobytes only: a longer view is kept in the browser, and
 * the address has its name in place of it.
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
    // A browser without room for it shows the view until the page is left.
  }
  return name
}

/** Return the view that an address names without holding it. */
export function read(said: unknown): unknown {
  if (typeof said !== 'string' || !said.startsWith('~')) return said
  try {
    return localStorage.getItem(PREFIX + said) ?? undefined
  } catch {
    return undefined
  }
}

/** 64 bits that tell texts apart (FNV-1a). */
function digest(text: string): string {
  let hash = 0xcbf29ce484222325n
  for (let i = 0; i < text.length; i++) hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(i))) * 0x100000001b3n)
  return hash.toString(36)
}
