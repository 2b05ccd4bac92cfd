import { ActionIcon, Anchor, Container, Group, Menu, Stack, Title } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconDots, IconHistory, IconPencil, IconTrash } from '@tabler/icons-react'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { Confirm } from '../access/Confirm'
import { Keys } from '../access/Keys'
import { NameDialog } from '../access/NameDialog'
import { manages } from '../access/rights'
import { Usage } from '../access/Usage'
import { removeTeam, renameTeam } from '../api/people'
import { useWhoami } from '../api/whoami'
import { teamAddress } from '../lib/pageAddress'
import { NotFound } from '../shell/Failed'
import { usePageTitle } from '../shell/usePageTitle'
import { Waiting } from '../shell/Waiting'
import { strings } from '../strings'
import { Members } from './Members'

const texts = strings.teams

/** A team: its members, and for those who manage it its keys, name and log. */
export function Team() {
  const { team = '' } = useParams({ strict: false })
  usePageTitle(team)
  const whoami = useWhoami()
  if (!whoami) return <Waiting />
  if (whoami.kind !== 'account') return <NotFound />
  const managed = manages(whoami, team)
  return (
    <Container size="md" py="lg">
      <Stack gap={32}>
        <div>
          <Anchor component={Link} to="/teams" size="sm">
            {texts.title}
          </Anchor>
          <Group justify="space-between" wrap="nowrap" align="flex-start">
            <Title order={1} size="h2" className="wrap">
              {team}
            </Title>
            {managed && <Actions team={team} />}
          </Group>
          <Usage entity={team} />
        </div>
        <Members key={team} team={team} managed={managed} />
        {managed && <Keys key={`keys ${team}`} team={team} />}
      </Stack>
    </Container>
  )
}

function Actions({ team }: { team: string }) {
  const navigate = useNavigate()
  const [asks, setAsks] = useState<'rename' | 'delete' | null>(null)
  const close = () => setAsks(null)
  return (
    <>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <ActionIcon variant="default" size={30} aria-label={texts.actions(team)}>
            <IconDots size={16} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconPencil size={16} />} onClick={() => setAsks('rename')}>
            {texts.renameTeam}
          </Menu.Item>
          <Menu.Item
            leftSection={<IconHistory size={16} />}
            component={Link}
            to={`/audit?entity=${encodeURIComponent(team)}`}
          >
            {texts.audit}
          </Menu.Item>
          <Menu.Item color="red" leftSection={<IconTrash size={16} />} onClick={() => setAsks('delete')}>
            {texts.delete}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {asks === 'rename' && (
        <NameDialog
          title={texts.renameTeam}
          text={texts.renameText}
          label={texts.name}
          act={texts.rename}
          name={team}
          onSave={async (name) => {
            await renameTeam(team, name)
            notifications.show({ message: texts.renamed(name) })
            await navigate({ to: teamAddress(name), replace: true })
          }}
          onClose={close}
        />
      )}
      {asks === 'delete' && (
        <Confirm
          title={texts.delete}
          text={texts.deleteSure(team)}
          act={texts.delete}
          onSure={async () => {
            await removeTeam(team)
            notifications.show({ message: texts.deleted(team) })
            await navigate({ to: '/teams', replace: true })
          }}
          onClose={close}
        />
      )}
    </>
  )
}
