import css from './Shell.module.css'
import { ActionIcon, Anchor, Badge, AppShell, Group, Text, Tooltip, UnstyledButton } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { openSpotlight } from '@mantine/spotlight'
import { IconKeyboard, IconSearch } from '@tabler/icons-react'
import { Link, Outlet, useRouterState } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'
import { useLive } from '../api/live'
import { IS_SHARED } from '../api/session'
import { strings } from '../strings'
import { Account } from './Account'
import { Breadcrumbs } from './Breadcrumbs'
import { Offline } from './Offline'
import { CommandPalette } from './CommandPalette'
import { Shortcuts } from './Shortcuts'
import { ThemeButton } from './Theme'
import { useEscape } from './useEscape'
import { useKey } from './useKey'

/** The frame around every page. */
export function Shell() {
  const [shortcuts, { open, close }] = useDisclosure()
  const content = useFocusOnNavigation()
  useLive()
  useEscape()
  useKey('?', open)
  useKey('/', focusSearch)
  return (
    <AppShell header={{ height: 48 }} padding={0}>
      <a className={css.skip} href="#content">
        {strings.shell.skip}
      </a>
      <AppShell.Header withBorder>
        <Group h="100%" px="md" gap="sm" wrap="nowrap" justify="space-between">
          <Group gap="sm" wrap="nowrap" miw={0}>
            <Anchor
              component={Link}
              to="/"
              underline="never"
              c="inherit"
              aria-label={IS_SHARED ? strings.shared.back : strings.shell.home}
              className={css.brand}
            >
              <Mark />
              <Text fw={700} visibleFrom="sm">
                {strings.product}
              </Text>
            </Anchor>
            <Breadcrumbs />
            {IS_SHARED && (
              <Badge variant="light" tt="none" flex="none">
                {strings.shared.header}
              </Badge>
            )}
          </Group>
          <Group gap={4} wrap="nowrap">
            <UnstyledButton className={css.find} onClick={openSpotlight} aria-label={strings.palette.title}>
              <IconSearch size={15} aria-hidden />
              <Text size="sm" visibleFrom="md">
                {strings.common.search}
              </Text>
              <Text size="xs" className={css.keys} visibleFrom="md" aria-hidden>
                Ctrl K
              </Text>
            </UnstyledButton>
            <Tooltip label={strings.shortcuts.title}>
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={strings.shortcuts.title}
                onClick={open}
                visibleFrom="sm"
              >
                <IconKeyboard size={18} />
              </ActionIcon>
            </Tooltip>
            <ThemeButton />
            {!IS_SHARED && <Account />}
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Main id="content" h="100dvh" tabIndex={-1} ref={content} className={css.content}>
        <Offline />
        <div className={css.page}>
          <Outlet />
        </div>
      </AppShell.Main>
      <CommandPalette showShortcuts={open} />
      <Shortcuts opened={shortcuts} close={close} />
    </AppShell>
  )
}

/** The logo. */
function Mark() {
  return (
    <svg width="22" height="22" viewBox="0 0 32 32" aria-hidden>
      <rect width="32" height="32" rx="7" fill="var(--brand)" />
      <path
        d="M6 22l6-9 5 5 9-11"
        fill="none"
        stroke="var(--paper)"
        strokeWidth="3.2"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  )
}

/** Focus the page's first search field. */
function focusSearch() {
  const field = document.querySelector<HTMLInputElement>('main input[type="search"], main [data-search] input')
  field?.focus()
  field?.select()
}

/** Focus the new page after navigation, as after loading one. */
function useFocusOnNavigation() {
  const path = useRouterState({ select: (state) => state.location.pathname })
  const content = useRef<HTMLElement>(null)
  const shown = useRef(path)
  useEffect(() => {
    if (shown.current === path) return
    shown.current = path
    content.current?.focus({ preventScroll: true })
    window.scrollTo(0, 0)
  }, [path])
  return content
}
