import css from './FullScreen.module.css'
import frameCss from './panel/Frame.module.css'
import { ActionIcon, CloseButton, Group, Modal, Text, Tooltip } from '@mantine/core'
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react'
import type { KeyboardEvent } from 'react'
import { strings } from '../strings'
import { Content } from './panel/Content'
import type { PanelProps } from './panel/props'
import type { Section } from './panels'
import { titleOf } from './panelSpec'

interface Props {
  sections: Section[]
  /** Id of the panel; null if none is open */
  shown: string | null
  onShow: (id: string | null) => void
  context: Omit<PanelProps, 'spec' | 'title'>
}

/** Show one panel in full screen; the arrow keys switch to the next and the previous one. */
export function FullScreen({ sections, shown, onShow, context }: Props) {
  const panels = sections.flatMap((section) => section.panels)
  const at = panels.findIndex((panel) => panel.id === shown)
  const spec = panels[at]
  const text = strings.charts.panel
  const go = (by: number) => {
    const next = panels[(at + by + panels.length) % panels.length]
    if (next) onShow(next.id)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const inField = event.target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
    if (!by || inField || event.defaultPrevented) return
    event.preventDefault()
    go(by)
  }
  return (
    <Modal
      opened={spec !== undefined}
      onClose={() => onShow(null)}
      fullScreen
      withCloseButton={false}
      attributes={{ content: { 'aria-label': spec && titleOf(spec) } }}
      onKeyDown={onKeyDown}
      classNames={{ body: css.full }}
    >
      {spec && (
        <>
          <Group wrap="nowrap" gap="xs">
            <Text component="h2" fw={600} truncate className={frameCss.title}>
              {titleOf(spec)}
            </Text>
            <Text size="sm" c="dimmed">
              {at + 1} / {panels.length}
            </Text>
            <Step label={text.previous} icon={<IconChevronLeft size={18} />} onClick={() => go(-1)} />
            <Step label={text.next} icon={<IconChevronRight size={18} />} onClick={() => go(1)} />
            <CloseButton aria-label={strings.common.close} onClick={() => onShow(null)} data-autofocus />
          </Group>
          <Content key={spec.id} {...context} spec={spec} title={titleOf(spec)} />
        </>
      )}
    </Modal>
  )
}

function Step({ label, icon, onClick }: { label: string; icon: React.ReactNode; onClick: () => void }) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" aria-label={label} onClick={onClick}>
        {icon}
      </ActionIcon>
    </Tooltip>
  )
}
