import css from './Offline.module.css'
import { Anchor, Text } from '@mantine/core'
import { IconPlugConnectedX } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { useConnection } from '../api/connection'
import { ROOT } from '../api/session'
import { strings } from '../strings'

/** Wait so long in ms before showing the banner: a restarting server is back by then. */
const PATIENCE_MS = 3000

/** Show a banner while the server does not answer. */
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
        <div className={css.offline}>
          <IconPlugConnectedX size={16} aria-hidden />
          {connection === 'signed-out' ? (
            <Text size="sm">
              {strings.shell.signedOut}{' '}
              <Anchor href={`${ROOT}/`} inherit underline="always">
                {strings.shell.signIn}
              </Anchor>
            </Text>
          ) : (
            <Text size="sm">{strings.shell.offline}</Text>
          )}
        </div>
      )}
    </div>
  )
}
