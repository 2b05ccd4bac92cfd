import { createContext, useContext } from 'react'

export type Range = [number, number]

/** A chart that shares its cursor and its range of x. */
export interface Member {
  /** Show where another chart's cursor is; null: nowhere */
  pointAt: (x: number | null) => void
  /** Follow a movement of the range that is still going on */
  follow: (range: Range) => void
}

/** Connects the charts that share an x, outside React, since it happens at every mouse move. */
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

/** The zooms of the wall around a panel. */
export const ZoomContext = createContext<Zooms | null>(null)

export function useZooms(): Zooms {
  const zooms = useContext(ZoomContext)
  if (!zooms) throw new Error('A line chart needs a ZoomProvider around it.')
  return zooms
}
