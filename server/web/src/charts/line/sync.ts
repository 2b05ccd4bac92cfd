import { createContext, useContext } from 'react'

export type Range = [number, number]

/** A chart that shares its cursor and its range of x. */
export interface Member {
  /** Show where another chart's cursor is; null if it left */
  pointAt: (x: number | null) => void
  /** Follow a pan or zoom in progress */
  follow: (range: Range) => void
}

/** Connects the charts that share an x axis. Works outside React, since it runs at every mouse move. */
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

/** The zoom ranges around a panel, by x axis. */
export const ZoomContext = createContext<Zooms | null>(null)

export function useZooms(): Zooms {
  const zooms = useContext(ZoomContext)
  if (!zooms) throw new Error('A line chart needs a ZoomProvider around it.')
  return zooms
}
