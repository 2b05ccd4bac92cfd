/** Refetches the queries on screen when the server reports changes to their data. */
import type { QueryClient, QueryKey } from '@tanstack/react-query'
import { useEffect } from 'react'
import { setConnection } from './connection'
import { onSecret, signed } from './session'
import { queryClient } from './queries'
import { openStream, type Change, type Message, type What } from './liveStream'

export type { Change } from './liveStream'

/** The kinds of queries that live updates refetch, and the least time in ms between two refetches of a kind. */
const REST: Record<string, number> = {
  charts: 1000,
  run: 1000,
  table: 2000,
  groups: 2000,
  columns: 5000,
  project: 5000,
  projects: 5000,
  whoami: 5000,
}

/** How often, in ms, waiting queries are checked. */
const CLOCK = 250

/** States also change without a message: a run that stops reporting becomes crashed. */
const MINUTE = 60_000

/** Whether a query shows any of the changed runs and projects. */
export function concerns(key: QueryKey, runs: Map<string, Set<What>>, projects: string[] = []): boolean {
  const [kind, entity, project, id, part] = key
  switch (kind) {
    case 'charts': {
      const shown = (entity as { runs?: string[] } | undefined)?.runs ?? []
      return shown.some((run) => any(runs.get(run), ['history', 'system', 'removed', 'new']))
    }
    case 'run': {
      const what = runs.get(`${entity}/${project}/${id}`)
      // Printed lines never change, so only their number is refetched.
      if (part === 'console')
        return any(what, ['console', 'removed']) && !key.includes('block') && !key.includes('search')
      if (part === 'comments') return any(what, ['comments', 'removed'])
      if (part === 'edits') return any(what, ['meta', 'removed'])
      if (part === 'files') return any(what, ['files', 'removed'])
      return any(what, ['history', 'system', 'meta', 'files', 'removed', 'new'])
    }
    case 'projects':
      return [...runs.values()].some((what) => any(what, ['history', 'meta', 'removed', 'new']))
    case 'table':
    case 'groups':
    case 'columns': {
      const within = `${entity}/${project}/`
      return [...runs].some(([run, what]) => run.startsWith(within) && any(what, ['history', 'meta', 'removed', 'new']))
    }
    case 'project':
      return projects.includes(`${entity}/${project}`)
    default:
      return false
  }
}

const any = (what: Set<What> | undefined, of: What[]): boolean => what !== undefined && of.some((one) => what.has(one))

/**
 * Collects changes until the affected queries may be refetched: no kind too often, and no query that has a request in
 * flight, since its answer may already be out of date.
 */
export class Changes {
  private due = new Set<string>()
  private last: Record<string, number> = {}

  constructor(private readonly client: QueryClient) {}

  /** Queries that wait to be refetched. */
  get waiting(): number {
    return this.due.size
  }

  add({ runs, projects }: Change): void {
    const what = new Map(runs.map((one) => [one.run, new Set(one.what)]))
    this.note((key) => concerns(key, what, projects))
  }

  /** Refetch everything, since anything may have changed. */
  addAll(): void {
    this.note((key) => String(key[0]) in REST)
  }

  private note(isOld: (key: QueryKey) => boolean): void {
    for (const query of this.client.getQueryCache().getAll()) if (isOld(query.queryKey)) this.due.add(query.queryHash)
  }

  /** Refetch the queries that may be refetched now. Queries that are not on screen are only marked as stale. */
  flush(now: number): void {
    const ready = new Set<string>()
    const kinds = new Set<string>()
    for (const hash of this.due) {
      const query = this.client.getQueryCache().get(hash)
      if (!query) {
        this.due.delete(hash)
        continue
      }
      const kind = String(query.queryKey[0])
      if (query.state.fetchStatus !== 'idle' || now - (this.last[kind] ?? -MINUTE) < REST[kind]!) continue
      kinds.add(kind)
      ready.add(hash)
      this.due.delete(hash)
    }
    for (const kind of kinds) this.last[kind] = now
    if (ready.size) void this.client.invalidateQueries({ predicate: (query) => ready.has(query.queryHash) })
  }
}

/** Keep everything on screen up to date while the component is mounted. Used once, in the shell. */
export function useLive(): void {
  useEffect(() => {
    const changes = new Changes(queryClient)
    let timer: ReturnType<typeof setTimeout> | undefined
    // A hidden page fetches nothing. When it is shown again, it refetches what changed meanwhile.
    const flush = () => {
      clearTimeout(timer)
      timer = undefined
      if (document.hidden) return
      changes.flush(Date.now())
      if (changes.waiting) timer = setTimeout(flush, CLOCK)
    }
    const hear = (message: Message) => {
      if (message.kind === 'connection') {
        setConnection(message.connection)
        return
      }
      if (message.kind === 'change') changes.add(message.change)
      else changes.addAll()
      if (timer === undefined) flush()
    }
    const everyMinute = setInterval(() => hear({ kind: 'reset' }), MINUTE)
    document.addEventListener('visibilitychange', flush)
    let close = connect(hear)
    // Someone signed in again in another tab: the stream needs the new secret, and everything may have changed.
    const ignore = onSecret(() => {
      close()
      close = connect(hear)
      hear({ kind: 'reset' })
    })
    return () => {
      ignore()
      close()
      document.removeEventListener('visibilitychange', flush)
      clearInterval(everyMinute)
      clearTimeout(timer)
    }
  }, [])
}

/** Listen through the worker that all tabs share, or directly without shared workers. Returns a function that stops. */
function connect(hear: (message: Message) => void): () => void {
  const address = new URL(signed('/api/live'), window.location.href).href
  if (typeof SharedWorker === 'undefined') return openStream(hear, address)
  const worker = new SharedWorker(new URL('./live.worker.ts', import.meta.url), { type: 'module', name: address })
  let close = leave
  function leave() {
    worker.port.postMessage('leave')
    worker.port.close()
  }
  worker.port.onmessage = ({ data }: MessageEvent<Message>) => hear(data)
  worker.onerror = () => {
    leave()
    close = openStream(hear, address)
  }
  const left = () => close()
  window.addEventListener('pagehide', left)
  return () => {
    window.removeEventListener('pagehide', left)
    close()
  }
}
