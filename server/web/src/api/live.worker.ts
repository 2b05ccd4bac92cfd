/** One stream for all tabs of the browser: each connection to the server is one of the six that browsers allow. */
import { openStream, type Connection, type Message } from './liveStream'

declare const self: { name: string; onconnect: ((event: MessageEvent) => void) | null }

const ports = new Set<MessagePort>()
let connection: Connection = 'connecting'
let started = false

function tell(message: Message): void {
  if (message.kind === 'connection') connection = message.connection
  for (const port of ports) port.postMessage(message)
}

self.onconnect = (event) => {
  const port = event.ports[0]!
  ports.add(port)
  port.onmessage = () => ports.delete(port) // all a page ever says is that it goes
  port.postMessage({ kind: 'connection', connection } satisfies Message)
  // It is called by the stream's address. The worker ends with its last tab, and the stream with it.
  if (!started) openStream(tell, self.name)
  started = true
}
