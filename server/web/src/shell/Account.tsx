import { ActionIcon, Badge, Button, Group, Menu, Modal, Stack, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconDevices, IconLogout, IconUser } from '@tabler/icons-react'
import { useMutation, useQuery } from '@tanstack/react-query'
import { forgetSecret, ROOT } from '../api/session'
import { data, DELETE, GET, type Shapes } from '../api/client'
import { queryClient } from '../api/queries'
import { ago } from '../lib/format'
import { strings } from '../strings'
import { Failed } from './Failed'
import { Waiting } from './Waiting'

const texts = strings.account

/** Drop the parts of a user agent that nearly all browsers send. */
const browserOf = (agent: string) => agent.replace(/^Mozilla\/5\.0 |AppleWebKit\/[\d.]+ \(KHTML, like Gecko\) /g, '')

const endSession = (id: string) => data(DELETE('/api/sessions/{id}', { params: { path: { id } } }))

/** Sign out, and list the signed-in browsers. */
export function Account() {
  const [opened, { open, close }] = useDisclosure()
  const leave = async () => {
    await endSession('current').catch(() => {})
    forgetSecret()
    window.location.assign(`${ROOT}/`)
  }
  return (
    <>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" aria-label={texts.title}>
            <IconUser size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconDevices size={16} />} onClick={open}>
            {texts.browsers}
          </Menu.Item>
          <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void leave()}>
            {texts.signOut}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Modal
        opened={opened}
        onClose={close}
        title={texts.browsers}
        closeButtonProps={{ 'aria-label': strings.common.close }}
      >
        <Browsers />
      </Modal>
    </>
  )
}

function Browsers() {
  const {
    data: sessions,
    error,
    refetch,
  } = useQuery({
    queryKey: ['sessions'],
    queryFn: async () => (await data(GET('/api/sessions'))).sessions,
    staleTime: 0,
  })
  const end = useMutation({
    mutationFn: endSession,
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['sessions'] }),
  })
  if (error) return <Failed error={error} reset={() => void refetch()} />
  if (!sessions) return <Waiting height={80} />
  return (
    <Stack gap="sm">
      <Text size="sm" c="dimmed">
        {texts.hint}
      </Text>
      {sessions.map((one: Shapes['SessionInfo']) => (
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
