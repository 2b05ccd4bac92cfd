import css from './BlockList.module.css'
import { ActionIcon, Button, Group, Menu, Text } from '@mantine/core'
import {
  IconArrowDown,
  IconArrowUp,
  IconChartLine,
  IconCopy,
  IconDots,
  IconGripVertical,
  IconLayoutColumns,
  IconPencil,
  IconPhoto,
  IconTable,
  IconTrash,
  IconTypography,
} from '@tabler/icons-react'
import { useRef, useState, type DragEvent, type KeyboardEvent, type ReactNode } from 'react'
import { ErrorBoundary } from '../../shell/ErrorBoundary'
import { strings } from '../../strings'
import type { Block, Direction, LeafBlock, Spot } from '../blocks'
import { MediaEditor } from './MediaEditor'
import { PanelEditor } from './PanelEditor'
import { TableEditor } from './TableEditor'
import { TextEditor } from './TextEditor'
import type { Editing, NewKind } from './useBlocks'

const texts = strings.reportEditor

const ICONS: Record<NewKind, typeof IconTable> = {
  markdown: IconTypography,
  panel: IconChartLine,
  table: IconTable,
  media: IconPhoto,
}
const KINDS = Object.keys(ICONS) as NewKind[]

interface ListProps {
  blocks: Block[]
  editing: Editing
}

/** Show blocks with what changes and moves them, and buttons that add more at the end. */
export function BlockList({ blocks, editing }: ListProps) {
  return (
    <div className={css.list} role="group" aria-label={texts.blocks}>
      {blocks.map((block, i) => (
        <Frame key={block.id} block={block} place={i + 1} of={blocks.length} editing={editing} />
      ))}
      <div className={css.add}>
        <Text size="sm" c="dimmed">
          {texts.add}
        </Text>
        <Group gap="xs">
          {KINDS.map((kind) => {
            const Icon = ICONS[kind]
            return (
              <Button
                key={kind}
                size="xs"
                variant="default"
                leftSection={<Icon size={15} />}
                onClick={() => editing.add(kind, null)}
              >
                {texts.addKinds[kind]}
              </Button>
            )
          })}
        </Group>
      </div>
    </div>
  )
}

interface FrameProps {
  block: Block
  place: number
  of: number
  editing: Editing
}

const DRAGGED = 'application/x-tracker-block'

const ARROWS: Record<string, Direction | undefined> = {
  ArrowUp: 'up',
  ArrowDown: 'down',
  ArrowLeft: 'left',
  ArrowRight: 'right',
}

/** A block with its handle and menu. */
function Frame({ block, place, of, editing }: FrameProps) {
  const box = useRef<HTMLElement>(null)
  const [side, setSide] = useState<Spot['side'] | null>(null)
  const kind = texts.kinds[block.kind]!
  const onKeyDown = (event: KeyboardEvent) => {
    const direction = ARROWS[event.key]
    if (!direction || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    editing.step(block.id, direction)
  }
  const onDragOver = (event: DragEvent) => {
    if (!event.dataTransfer.types.includes(DRAGGED)) return
    event.preventDefault()
    event.stopPropagation() // the innermost block is meant
    setSide(sideOf(event, box.current!, block.kind !== 'columns'))
  }
  const onDrop = (event: DragEvent) => {
    const other = event.dataTransfer.getData(DRAGGED)
    if (!other) return
    event.preventDefault()
    event.stopPropagation()
    editing.drop(other, { beside: block.id, side: sideOf(event, box.current!, block.kind !== 'columns') })
    setSide(null)
  }
  return (
    <section
      ref={box}
      className={css.frame}
      data-block={block.id}
      data-side={side ?? undefined}
      aria-label={texts.block(kind, place, of)}
      onDragOver={onDragOver}
      onDragLeave={() => setSide(null)}
      onDrop={onDrop}
    >
      <header className={css.head}>
        {/* Firefox lets no button be dragged */}
        <span
          role="button"
          tabIndex={0}
          className={css.handle}
          draggable
          data-grip
          aria-label={texts.move(kind)}
          title={texts.move(kind)}
          onKeyDown={onKeyDown}
          onDragStart={(event) => {
            event.dataTransfer.setData(DRAGGED, block.id)
            event.dataTransfer.effectAllowed = 'move'
            event.dataTransfer.setDragImage(box.current!, 20, 10)
            event.stopPropagation()
          }}
        >
          <IconGripVertical size={15} aria-hidden />
        </span>
        <Text size="xs" c="dimmed" className="grow">
          {kind}
        </Text>
        {block.kind === 'panel' && (
          <Button
            size="compact-xs"
            variant="default"
            leftSection={<IconPencil size={13} />}
            onClick={() => editing.editPanel(block)}
          >
            {texts.editPanel}
          </Button>
        )}
        <BlockMenu block={block} editing={editing} />
      </header>
      <ErrorBoundary>{bodyOf(block, editing)}</ErrorBoundary>
    </section>
  )
}

function bodyOf(block: Block, editing: Editing): ReactNode {
  if (block.kind !== 'columns') return <LeafEditor block={block} editing={editing} />
  const side = (list: LeafBlock[]) => (
    <div className={css.side}>
      {list.map((one, i) => (
        <Frame key={one.id} block={one} place={i + 1} of={list.length} editing={editing} />
      ))}
    </div>
  )
  return (
    <div className={css.columns}>
      {side(block.left)}
      {side(block.right)}
    </div>
  )
}

function LeafEditor({ block, editing }: { block: LeafBlock; editing: Editing }) {
  const { place, set } = editing
  switch (block.kind) {
    case 'markdown':
      return <TextEditor {...{ place, block, set }} />
    case 'panel':
      return <PanelEditor {...{ place, block, set }} />
    case 'table':
      return <TableEditor {...{ place, block, set }} />
    case 'media':
      return <MediaEditor {...{ place, block, set }} />
  }
}

function BlockMenu({ block, editing }: { block: Block; editing: Editing }) {
  const kind = texts.kinds[block.kind]!
  const item = (Icon: typeof IconTable, label: string, onClick: () => void) => (
    <Menu.Item key={label} leftSection={<Icon size={15} />} onClick={onClick}>
      {label}
    </Menu.Item>
  )
  const step = (direction: Direction) => () => editing.step(block.id, direction)
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="sm" aria-label={texts.menu(kind)}>
          <IconDots size={15} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {item(IconCopy, texts.duplicate, () => editing.duplicate(block.id))}
        {item(IconArrowUp, texts.up, step('up'))}
        {item(IconArrowDown, texts.down, step('down'))}
        {block.kind !== 'columns' && item(IconLayoutColumns, texts.left, step('left'))}
        {block.kind !== 'columns' && item(IconLayoutColumns, texts.right, step('right'))}
        <Menu.Divider />
        {KINDS.map((one) =>
          item(ICONS[one], texts.below(texts.addKinds[one]!), () =>
            editing.add(one, { beside: block.id, side: 'after' }),
          ),
        )}
        <Menu.Divider />
        <Menu.Item color="red" leftSection={<IconTrash size={15} />} onClick={() => editing.remove(block.id)}>
          {texts.remove}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}

/** The share of a block's width at its left and right where a drop means beside it */
const BESIDE = 0.2

/** Return where a block that is dropped here goes. */
function sideOf(event: DragEvent, element: HTMLElement, mayStandBeside: boolean): Spot['side'] {
  const { left, top, width, height } = element.getBoundingClientRect()
  const x = (event.clientX - left) / width
  if (mayStandBeside && x < BESIDE) return 'left'
  if (mayStandBeside && x > 1 - BESIDE) return 'right'
  return event.clientY - top < height / 2 ? 'before' : 'after'
}
