import { ActionIcon, Tooltip, useMantineColorScheme } from '@mantine/core'
import { IconDeviceDesktop, IconMoon, IconSun } from '@tabler/icons-react'
import { strings } from '../strings'

const NEXT = { auto: 'light', light: 'dark', dark: 'auto' } as const
const ICONS = { auto: IconDeviceDesktop, light: IconSun, dark: IconMoon }

/** Return the chosen theme, and a function that switches to the next. */
export function useTheme() {
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  return { theme: colorScheme, next: () => setColorScheme(NEXT[colorScheme]) }
}

export function ThemeButton() {
  const { theme, next } = useTheme()
  const Icon = ICONS[theme]
  return (
    <Tooltip label={strings.shell.theme[theme]}>
      <ActionIcon variant="subtle" color="gray" aria-label={strings.shell.theme[theme]} onClick={next}>
        <Icon size={18} />
      </ActionIcon>
    </Tooltip>
  )
}
