import { Anchor, Avatar, Group, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { membersOf } from '../api/people'
import { useWhoami } from '../api/whoami'
import { teamAddress } from '../lib/pageAddress'
import { strings } from '../strings'

const texts = strings.settings
const SHOWN = 8

/** Show the first members of a project's team, to those who may see them. */
export function TeamMembers({ entity }: { entity: string }) {
  const whoami = useWhoami()
  const isTeam = whoami !== undefined && entity !== whoami.name && (whoami.is_admin || entity in whoami.roles)
  const source = membersOf(entity)
  const { data } = useQuery({
    queryKey: [...source.key, 'first'],
    queryFn: ({ signal }) => source.fetch({ limit: SHOWN }, signal),
    enabled: isTeam,
    retry: false,
  })
  if (!isTeam) return null
  return (
    <Stack gap={6}>
      <Anchor component={Link} to={teamAddress(entity)} size="sm" fw={600} className="wrap">
        {texts.membersText(entity)}
      </Anchor>
      <ul className="plain-list">
        {data?.items.map((member) => (
          <Group key={member.account} component="li" gap={6} wrap="nowrap" py={2}>
            <Avatar size={20} name={member.account} color="gray" aria-hidden />
            <Text size="sm" truncate flex={1} title={member.account}>
              {member.account}
            </Text>
            <Text size="xs" c="dimmed">
              {strings.access.roles[member.role]}
            </Text>
          </Group>
        ))}
      </ul>
      {data && data.total > data.items.length && (
        <Text size="xs" c="dimmed">
          {strings.access.shown(data.items.length, data.total)}
        </Text>
      )}
    </Stack>
  )
}
