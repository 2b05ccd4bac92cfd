import css from './RunState.module.css'
import { Group, Text, Tooltip } from '@mantine/core'
import {
  IconAlertTriangle,
  IconCircleCheck,
  IconCircleX,
  IconPlayerPlay,
  IconPlayerStop,
  IconServerOff,
} from '@tabler/icons-react'
import { strings } from '../strings'

const ICONS = {
  running: IconPlayerPlay,
  finished: IconCircleCheck,
  failed: IconCircleX,
  killed: IconPlayerStop,
  crashed: IconAlertTriangle,
  preempted: IconServerOff,
} as const

/** Show the state of a run: an icon, a color and a word. */
export function RunState({ state, size = 'sm' }: { state: string; size?: string }) {
  const Icon = ICONS[state as keyof typeof ICONS] ?? IconAlertTriangle
  return (
    <Tooltip label={strings.stateMeanings[state] ?? state}>
      <Group gap={4} wrap="nowrap" className={`${css.state} ${css[state] ?? ''}`} component="span">
        <Icon size={16} aria-hidden />
        <Text size={size} component="span" c="inherit">
          {strings.states[state] ?? state}
        </Text>
      </Group>
    </Tooltip>
  )
}
