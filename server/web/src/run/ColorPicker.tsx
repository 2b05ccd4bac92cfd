import css from './ColorPicker.module.css'
import {
  ActionIcon,
  Button,
  ColorSwatch,
  Group,
  Popover,
  Stack,
  Text,
  Tooltip,
  useComputedColorScheme,
} from '@mantine/core'
import { useState } from 'react'
import { palette, slotOfColor } from '../lib/palette'
import { strokeFor } from '../lib/runStroke'
import { strings } from '../strings'
import { useEdit } from './useEdit'
import type { TabProps } from './props'

/** Show and change the run's color. */
export function ColorPicker({ run, mayEdit }: TabProps & { mayEdit: boolean }) {
  const scheme = useComputedColorScheme('light')
  const edit = useEdit(run)
  const [opened, setOpened] = useState(false)
  const given = run.color
  const choose = (color: string | null) => {
    setOpened(false)
    if (color !== given) edit.mutate({ color })
  }
  const swatch = (
    <ColorSwatch component="span" size={14} color={strokeFor(run.ordinal, given, scheme).color} withShadow={false} />
  )
  if (!mayEdit) return swatch
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-start" trapFocus returnFocus withinPortal>
      <Popover.Target>
        <Tooltip label={strings.run.color}>
          <ActionIcon variant="subtle" color="gray" aria-label={strings.run.color} onClick={() => setOpened(!opened)}>
            {swatch}
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="xs">
          <Text size="sm" fw={600}>
            {strings.run.color}
          </Text>
          <Group gap={6}>
            {palette(scheme).map((color, slot) => (
              <ColorSwatch
                key={color}
                component="button"
                type="button"
                color={color}
                size={26}
                withShadow={false}
                className={css.swatch}
                aria-label={strings.run.paletteColor(slot + 1)}
                aria-pressed={given !== null && slot === slotOfColor(given)}
                onClick={() => choose(color)}
              />
            ))}
          </Group>
          <Button size="compact-sm" variant="default" disabled={!given} onClick={() => choose(null)}>
            {strings.run.ownColor}
          </Button>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}
