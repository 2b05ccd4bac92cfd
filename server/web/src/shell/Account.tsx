import { ActionIcon, Menu, Modal, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import {
  IconDevices,
  IconHistory,
  IconLogout,
  IconSettings,
  IconUser,
  IconUsers,
  IconUsersGroup,
} from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { readsAudit } from '../access/rights'
import { endSession } from '../api/browsers'
import { forgetSecret, ROOT } from '../api/session'
import { useWhoami, type Whoami } from '../api/whoami'
import { strings } from '../strings'
import { Browsers } from './Browsers'

const texts = strings.account

async function leave() {
  await endSession('current').catch(() => {})
  forgetSecret()
  window.location.assign(`${ROOT}/`)
}

/** The menu of whoever is signed in: their pages, and signing out. */
export function Account() {
  const [opened, { open, close }] = useDisclosure()
  const whoami = useWhoami()
  const isTeam = whoami?.mode === 'team'
  return (
    <>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" aria-label={isTeam ? strings.menu.open(whoami.name) : texts.title}>
            <IconUser size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown maw={280}>
          {isTeam ? (
            <Pages whoami={whoami} />
          ) : (
            <Menu.Item leftSection={<IconDevices size={16} />} onClick={open}>
              {texts.browsers}
            </Menu.Item>
          )}
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

function Pages({ whoami }: { whoami: Whoami }) {
  const page = (to: string, Icon: typeof IconUser, label: string) => (
    <Menu.Item component={Link} to={to} leftSection={<Icon size={16} />}>
      {label}
    </Menu.Item>
  )
  return (
    <>
      <Menu.Label>
        {strings.menu.signedIn}
        <Text size="sm" fw={600} c="var(--mantine-color-text)" className="clamped" title={whoami.name}>
          {whoami.name}
        </Text>
      </Menu.Label>
      {page('/account', IconSettings, strings.menu.account)}
      {page('/teams', IconUsersGroup, strings.menu.teams)}
      {whoami.is_admin && page('/accounts', IconUsers, strings.menu.accounts)}
      {readsAudit(whoami) && page('/audit', IconHistory, strings.menu.audit)}
      <Menu.Divider />
    </>
  )
}
