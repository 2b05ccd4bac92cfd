/** Whether the server answers, and whether it still knows this browser. */
import { useSyncExternalStore } from 'react'
import type { Connection } from './liveStream'

export type { Connection } from './liveStream'

let connection: Connection = 'connecting'
const watchers = new Set<() => void>()

export function setConnection(now: Connection): void {
  if (now === connection) return
  connection = now
  for (const watcher of watchers) watcher()
}

/** Whether the stream of changes is open. */
export const useConnection = (): Connection =>
  useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },
    () => connection,
  )
