import { Anchor, Button, Stack, Text, Title } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { IS_SHARED } from '../api/session'
import { strings } from '../strings'

/** Show an error in place of the content, with a retry button. */
export function Failed({ error, reset }: { error: unknown; reset?: () => void }) {
  return (
    <Stack p="xl" align="flex-start" role="alert">
      <Title order={2}>{strings.errors.title}</Title>
      <Text>{error instanceof Error ? error.message : String(error)}</Text>
      {reset && <Button onClick={reset}>{strings.common.retry}</Button>}
    </Stack>
  )
}

export function NotFound() {
  return (
    <Stack p="xl" align="flex-start">
      <Title order={2}>{strings.errors.notFound}</Title>
      <Anchor component={Link} to="/">
        {IS_SHARED ? strings.shared.back : strings.errors.home}
      </Anchor>
    </Stack>
  )
}
