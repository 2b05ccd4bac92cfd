/** One stream for all tabs, since a browser allows only six connections to a server. */
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
  port.onmessage = () => ports.delete(port) // the only message of a page is that it closes
  port.postMessage({ kind: 'connection', connection } satisfies Message)
  // The worker's name is the address of the stream. Both end with the last tab.
  if (!started) openStream(tell, self.name)
  started = true
}
