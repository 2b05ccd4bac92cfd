/** What somebody wrote and did not save yet, kept in this browser. */
import type { Place } from '../api/paths'
import { ROOT } from '../api/session'
import type { Content } from './blocks'

export interface LocalDraft {
  content: Content
  /** The version that was being edited, and what it had; null for a report that is not saved yet */
  version: number | null
  base: Content
  /** When it was kept, as Unix seconds */
  at: number
}

const keyOf = ({ entity, project }: Place, id: string) => `tracker report ${ROOT} ${entity}/${project}/${id}`

/** Return what is kept of a report, or null. */
export function readDraft(place: Place, id: string): LocalDraft | null {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(keyOf(place, id)) ?? 'null')
    return isDraft(kept) ? kept : null
  } catch {
    return null
  }
}

function isDraft(kept: unknown): kept is LocalDraft {
  const { content, base, at } = (kept ?? {}) as Partial<LocalDraft>
  return typeof at === 'number' && [content, base].every((one) => Array.isArray(one?.blocks))
}

/** Keep what was written. Returns whether the browser could. */
export function keepDraft(place: Place, id: string, draft: LocalDraft): boolean {
  try {
    localStorage.setItem(keyOf(place, id), JSON.stringify(draft))
    return true
  } catch {
    return false
  }
}

export function forgetDraft(place: Place, id: string): void {
  try {
    localStorage.removeItem(keyOf(place, id))
  } catch {
    // Storage is blocked, so nothing was kept.
  }
}
