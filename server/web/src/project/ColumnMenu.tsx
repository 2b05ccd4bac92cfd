import lineMenuCss from './LineMenu.module.css'
import { ActionIcon, Group, Menu, NumberInput } from '@mantine/core'
import {
  IconArrowDown,
  IconArrowUp,
  IconCheck,
  IconEyeOff,
  IconFilter,
  IconPin,
  IconPinnedOff,
  IconStack2,
  IconX,
} from '@tabler/icons-react'
import { useState } from 'react'
import { PopMenu, type Point } from '../shell/PopMenu'
import { strings } from '../strings'
import type { Sort } from '../view/view'
import type { Column } from './columns'

const texts = strings.project.column
const CHOICES = ['last', 'min', 'max', 'mean'] as const

interface ColumnMenuProps {
  column: Column
  at: Point
  sort: Sort | undefined
  pinned: boolean
  grouped: boolean
  onClose: () => void
  onSort: (descending: boolean | null, add: boolean) => void
  onPin: () => void
  onHide: () => void
  onGroup: () => void
  onFilter: () => void
  onChoice: (choice: string | null) => void
}

/** The menu of a column. */
export function ColumnMenu(p: ColumnMenuProps) {
  const { column } = p
  const icon = (Icon: typeof IconX) => <Icon size={15} aria-hidden />
  return (
    <PopMenu at={p.at} label={strings.project.columnMenu(column.name)} onClose={p.onClose}>
      <Menu.Item leftSection={icon(IconArrowUp)} onClick={() => p.onSort(false, false)}>
        {texts.ascending}
      </Menu.Item>
      <Menu.Item leftSection={icon(IconArrowDown)} onClick={() => p.onSort(true, false)}>
        {texts.descending}
      </Menu.Item>
      {p.sort === undefined && (
        <Menu.Item leftSection={<span className={lineMenuCss.noIcon} />} onClick={() => p.onSort(true, true)}>
          {texts.sortAlso}
        </Menu.Item>
      )}
      {p.sort !== undefined && (
        <Menu.Item leftSection={icon(IconX)} onClick={() => p.onSort(null, true)}>
          {texts.unsorted}
        </Menu.Item>
      )}
      <Menu.Divider />
      <Menu.Item leftSection={icon(IconFilter)} onClick={p.onFilter}>
        {texts.filter}
      </Menu.Item>
      <Menu.Item leftSection={icon(IconStack2)} onClick={p.onGroup}>
        {p.grouped ? texts.ungroup : texts.group}
      </Menu.Item>
      {column.name !== 'name' && (
        <Menu.Item leftSection={icon(p.pinned ? IconPinnedOff : IconPin)} onClick={p.onPin}>
          {p.pinned ? texts.unpin : texts.pin}
        </Menu.Item>
      )}
      {column.name !== 'name' && (
        <Menu.Item leftSection={icon(IconEyeOff)} onClick={p.onHide}>
          {texts.hide}
        </Menu.Item>
      )}
      {column.kind === 'summary' && column.type === 'number' && <Choices {...p} />}
    </PopMenu>
  )
}

/** Choose which value of a metric's history is shown. */
function Choices({ column, onChoice, onClose }: ColumnMenuProps) {
  const now = column.choice
  const atStep = now?.startsWith('step=') ? Number(now.slice(5)) : ''
  const [step, setStep] = useState<number | string>(atStep)
  const take = () => {
    if (typeof step !== 'number') return
    onChoice(`step=${step}`)
    onClose()
  }
  const mark = (on: boolean) => (on ? <IconCheck size={15} aria-hidden /> : <span className={lineMenuCss.noIcon} />)
  return (
    <>
      <Menu.Divider />
      <Menu.Label>{texts.value}</Menu.Label>
      <Menu.Item leftSection={mark(now === null)} onClick={() => onChoice(null)}>
        {texts.summary}
      </Menu.Item>
      {CHOICES.map((choice) => (
        <Menu.Item key={choice} leftSection={mark(now === choice)} onClick={() => onChoice(choice)}>
          {texts.choices[choice]}
        </Menu.Item>
      ))}
      <Group gap={6} px="sm" py={4} wrap="nowrap">
        {mark(atStep !== '')}
        <NumberInput
          size="xs"
          min={0}
          allowDecimal={false}
          hideControls
          placeholder={texts.atStep}
          aria-label={texts.atStep}
          value={step}
          onChange={setStep}
          onKeyDown={(event) => {
            if (event.key === 'Enter') take()
            if (event.key !== 'Escape') event.stopPropagation()
          }}
        />
        <ActionIcon size="md" variant="light" aria-label={texts.takeStep} onClick={take}>
          <IconCheck size={14} />
        </ActionIcon>
      </Group>
    </>
  )
}
