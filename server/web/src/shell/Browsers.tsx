import { Badge, Button, Group, Stack, Text } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { browsersQuery, endSession } from '../api/browsers'
import { queryClient } from '../api/queries'
import { ago } from '../lib/format'
import { strings } from '../strings'
import { Failed } from './Failed'
import { Waiting } from './Waiting'

const texts = strings.account

/** Drop the parts of a user agent that nearly all browsers send. */
const browserOf = (agent: string) => agent.replace(/^Mozilla\/5\.0 |AppleWebKit\/[\d.]+ \(KHTML, like Gecko\) /g, '')

/** List the signed-in browsers, and sign them out. */
export function Browsers() {
  const { data: sessions, error, refetch } = useQuery(browsersQuery)
  const end = useMutation({
    mutationFn: endSession,
    onSettled: () => queryClient.invalidateQueries({ queryKey: browsersQuery.queryKey }),
  })
  if (error) return <Failed error={error} reset={() => void refetch()} />
  if (!sessions) return <Waiting height={80} />
  return (
    <Stack gap="sm">
      <Text size="sm" c="dimmed">
        {texts.hint}
      </Text>
      {sessions.map((one) => (
        <Group key={one.id} justify="space-between" wrap="nowrap">
          <Stack gap={0} miw={0}>
            <Text size="sm" className="wrap" title={one.agent}>
              {browserOf(one.agent) || texts.unknown}
            </Text>
            <Text size="xs" c="dimmed">
              {texts.used(one.address, ago(one.seen))}
            </Text>
          </Stack>
          {one.current ? (
            <Badge variant="light" tt="none" flex="none">
              {texts.current}
            </Badge>
          ) : (
            <Button size="compact-sm" variant="default" flex="none" onClick={() => end.mutate(one.id)}>
              {texts.end}
            </Button>
          )}
        </Group>
      ))}
    </Stack>
  )
}
