import css from './Offline.module.css'
import { Anchor, Text } from '@mantine/core'
import { IconPlugConnectedX } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { IS_SHARED, ROOT } from '../api/session'
import { useWhoami } from '../api/whoami'
import { useConnection } from '../api/connection'
import { strings } from '../strings'

/** Wait so long in ms before showing the banner: a restarting server is back by then. */
const PATIENCE_MS = 3000

/** Show a banner while the server does not answer. */
export function Offline() {
  const connection = useConnection()
  const isTeam = useWhoami()?.mode === 'team'
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
          {connection === 'signed-out' ? <SignedOut isTeam={isTeam} /> : <Text size="sm">{strings.shell.offline}</Text>}
        </div>
      )}
    </div>
  )
}

function SignedOut({ isTeam }: { isTeam: boolean }) {
  if (IS_SHARED) return <Text size="sm">{strings.shared.ended}</Text>
  // In another tab, so that nothing typed in this one is lost.
  const other = isTeam ? { target: '_blank' } : {}
  // Not the dashboard itself, which opens again in a browser whose cookie is valid and whose secret is lost.
  const here = window.location.pathname.slice(ROOT.length) + window.location.search
  return (
    <Text size="sm">
      {strings.shell.signedOut}{' '}
      <Anchor href={`${ROOT}/sign-in?next=${encodeURIComponent(here)}`} {...other} inherit underline="always">
        {isTeam ? strings.shared.signIn : strings.shell.signIn}
      </Anchor>
      {isTeam && <> {strings.shared.kept}</>}
    </Text>
  )
}
