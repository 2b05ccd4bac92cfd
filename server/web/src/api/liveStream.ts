/** Holds the server's stream of changes open, in the worker that all tabs share or in a page itself. */

export type What = 'history' | 'system' | 'console' | 'meta' | 'files' | 'removed' | 'new' | 'comments'

export interface Change {
  runs: { run: string; what: What[] }[]
  /** Projects whose reports, their comments or saved views changed */
  projects: string[]
}

/** `live`: changes arrive. `offline`: the server cannot be reached. `signed-out`: the browser's session has ended. */
export type Connection = 'connecting' | 'live' | 'offline' | 'signed-out'

export type Message =
  | { kind: 'connection'; connection: Connection }
  | { kind: 'change'; change: Change }
  | { kind: 'reset' } // messages were missed: anything may have changed

/** Milliseconds until a refused stream is opened again. */
const AGAIN = 5000

/** Open the stream at the address and keep it open. Returns a function that closes it. */
export function openStream(tell: (message: Message) => void, address: string): () => void {
  let source: EventSource
  let timer: ReturnType<typeof setTimeout> | undefined
  let isClosed = false

  function open(again: boolean): void {
    source = new EventSource(address)
    source.onopen = () => {
      tell({ kind: 'connection', connection: 'live' })
      if (again) tell({ kind: 'reset' })
      again = false
    }
    source.addEventListener('change', (event) => tell({ kind: 'change', change: JSON.parse(event.data) as Change }))
    source.addEventListener('reset', () => tell({ kind: 'reset' }))
    source.onerror = () => {
      // While connecting, the browser retries by itself, and the server sends what was missed. After a refusal the
      // browser gives up.
      if (source.readyState === EventSource.CLOSED) void refused()
      else tell({ kind: 'connection', connection: 'offline' })
    }
  }

  async function refused(): Promise<void> {
    const answer = await fetch(address, { method: 'HEAD' }).catch(() => null)
    if (isClosed) return
    // 404: the share link that the address begins with was revoked.
    const isStranger = answer !== null && [401, 403, 404].includes(answer.status)
    tell({ kind: 'connection', connection: isStranger ? 'signed-out' : 'offline' })
    timer = setTimeout(() => open(true), AGAIN)
  }

  open(false)
  return () => {
    isClosed = true
    clearTimeout(timer)
    source.close()
  }
}
