import { createContext, useContext } from 'react'

export type Range = [number, number]

/** What takes part in a common cursor and a common range of x. */
export interface Member {
  /** Show where another chart's cursor is; null: nowhere */
  pointAt: (x: number | null) => void
  /** Follow a movement of the range that is still going on */
  follow: (range: Range) => void
}

/** Joins the charts that share an x. What they tell each other goes past React: it happens at every mouse move. */
export class Sync {
  private members = new Map<string, Set<Member>>()

  join(x: string, member: Member): () => void {
    const set = this.members.get(x) ?? new Set()
    this.members.set(x, set.add(member))
    return () => set.delete(member)
  }

  pointAt(x: string, at: number | null, from: Member): void {
    for (const member of this.members.get(x) ?? []) if (member !== from) member.pointAt(at)
  }

  move(x: string, range: Range): void {
    for (const member of this.members.get(x) ?? []) member.follow(range)
  }
}

export interface Zooms {
  sync: Sync
  zoomOf: (x: string) => Range | null
  setZoom: (x: string, range: Range | null) => void
}

/** Of the wall that a panel stands in. */
export const ZoomContext = createContext<Zooms | null>(null)

export function useZooms(): Zooms {
  const zooms = useContext(ZoomContext)
  if (!zooms) throw new Error('A line chart needs a ZoomProvider around it.')
  return zooms
}
