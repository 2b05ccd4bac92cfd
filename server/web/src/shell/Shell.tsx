import { ActionIcon, Anchor, AppShell, Group, Text, Tooltip, useMantineColorScheme } from '@mantine/core'
import { IconDeviceDesktop, IconMoon, IconSun } from '@tabler/icons-react'
import { Link, Outlet } from '@tanstack/react-router'
import { strings } from '../strings'
import { Crumbs } from './Crumbs'

const NEXT = { auto: 'light', light: 'dark', dark: 'auto' } as const
const ICONS = { auto: IconDeviceDesktop, light: IconSun, dark: IconMoon }

/** What stands around every page. */
export function Shell() {
  return (
    <AppShell header={{ height: 48 }} padding={0}>
      <a className="skip" href="#content">
        {strings.shell.skip}
      </a>
      <AppShell.Header withBorder>
        <Group h="100%" px="md" gap="sm" wrap="nowrap" justify="space-between">
          <Group gap="sm" wrap="nowrap" miw={0}>
            <Anchor component={Link} to="/" underline="never" c="inherit" aria-label={strings.shell.home}>
              <Text fw={700}>{strings.product}</Text>
            </Anchor>
            <Crumbs />
          </Group>
          <ThemeButton />
        </Group>
      </AppShell.Header>
      <AppShell.Main id="content" h="100dvh">
        <Outlet />
      </AppShell.Main>
    </AppShell>
  )
}

function ThemeButton() {
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const Icon = ICONS[colorScheme]
  return (
    <Tooltip label={strings.shell.theme}>
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={strings.shell.theme}
        onClick={() => setColorScheme(NEXT[colorScheme])}
      >
        <Icon size={18} />
      </ActionIcon>
    </Tooltip>
  )
}
