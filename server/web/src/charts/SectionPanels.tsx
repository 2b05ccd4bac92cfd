import css from './SectionPanels.module.css'
import { Text } from '@mantine/core'
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react'
import { useId } from 'react'
import { strings } from '../strings'
import { useSize } from './useSize'
import { Content } from './panel/Content'
import { Frame, HEIGHT, type FrameActions } from './panel/Frame'
import type { PanelProps } from './panel/props'
import type { Section } from './panels'
import { titleOf, type PanelSpec } from './panelSpec'

interface Props {
  section: Section
  open: boolean
  onToggle: (open: boolean) => void
  context: Omit<PanelProps, 'spec' | 'title'>
  actionsOf: (panel: PanelSpec) => FrameActions
}

/** The narrowest panel, in pixels: it limits how many fit in a row. */
const NARROW = 400

/** A section of panels; its heading expands and collapses it. */
export function SectionPanels({ section, open, onToggle, context, actionsOf }: Props) {
  const id = useId()
  const { ref, width } = useSize<HTMLDivElement>()
  const fitting = Math.max(1, Math.floor(width / NARROW))
  const columns = context.view.columns
    ? Math.min(context.view.columns, Math.max(1, Math.floor(width / 200)))
    : Math.min(fitting, 6)
  const Icon = open ? IconChevronDown : IconChevronRight
  return (
    <div className={css.section} ref={ref}>
      <h3>
        <button
          type="button"
          className={css.head}
          aria-expanded={open}
          aria-controls={id}
          onClick={() => onToggle(!open)}
        >
          <Icon size={16} aria-hidden />
          {section.name}
          <Text span size="xs" c="dimmed">
            {strings.charts.section.panels(section.panels.length)}
          </Text>
        </button>
      </h3>
      <div
        id={id}
        hidden={!open}
        className={css.grid}
        style={{ gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}
      >
        {open &&
          width > 0 &&
          section.panels.map((spec) => {
            const title = titleOf(spec)
            return (
              <Frame
                key={spec.id}
                {...{ id: spec.id, title, columns }}
                width={spec.width ?? 1}
                height={spec.height ?? HEIGHT}
                {...actionsOf(spec)}
              >
                {() => <Content {...context} {...{ spec, title }} />}
              </Frame>
            )
          })}
      </div>
    </div>
  )
}
