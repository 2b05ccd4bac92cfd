import css from './States.module.css'
import { Button, Skeleton, Stack, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { strings } from '../../strings'

/** Say why a panel is empty. */
export function Empty({ children }: { children: ReactNode }) {
  return (
    <Stack className={css.state} align="center" justify="center" gap="xs" data-empty>
      <Text size="sm" c="dimmed" ta="center">
        {children}
      </Text>
    </Stack>
  )
}

export function Loading() {
  return <Skeleton className={css.state} role="status" aria-label={strings.common.loading} />
}

export function Trouble({ error, retry }: { error: unknown; retry?: () => void }) {
  return (
    <Stack className={css.state} align="center" justify="center" gap="xs" role="alert">
      <Text size="sm" ta="center">
        {error instanceof Error ? error.message : String(error)}
      </Text>
      {retry && (
        <Button size="compact-sm" variant="light" onClick={retry}>
          {strings.common.retry}
        </Button>
      )}
    </Stack>
  )
}
