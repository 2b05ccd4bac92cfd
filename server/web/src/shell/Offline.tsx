import { Text } from '@mantine/core'
import { IconPlugConnectedX } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { useConnection } from '../api/live'
import { strings } from '../strings'

/** A server that restarts is back by then; saying so would only disturb. */
const PATIENCE_MS = 3000

/** Stands at the top while the server does not answer. */
export function Offline() {
  const connection = useConnection()
  const lost = connection === 'offline' || connection === 'signed-out'
  const [told, setTold] = useState(false)
  useEffect(() => {
    if (!lost) return setTold(false)
    const timer = setTimeout(() => setTold(true), PATIENCE_MS)
    return () => clearTimeout(timer)
  }, [lost])
  return (
    <div role="status">
      {told && (
        <div className="offline">
          <IconPlugConnectedX size={16} aria-hidden />
          <Text size="sm">{connection === 'signed-out' ? strings.shell.signedOut : strings.shell.offline}</Text>
        </div>
      )}
    </div>
  )
}
