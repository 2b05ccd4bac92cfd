import css from './LineMenu.module.css'
import { Menu } from '@mantine/core'
import {
  IconAnchor,
  IconCopy,
  IconExternalLink,
  IconEye,
  IconFilter,
  IconFilterOff,
  IconPencil,
  IconTrash,
} from '@tabler/icons-react'
import { useMayDelete, type Rights } from '../access/rights'
import type { Place } from '../api/paths'
import { PopMenu, type Point } from '../shell/PopMenu'
import { strings } from '../strings'
import type { Column } from './columns'
import { writtenName, writtenValue } from './filter/expression'
import type { Line } from './useTableLines'
import type { Placed } from './grid/useColumnModel'
import { textOf, titleOf } from './cellText'

const texts = strings.project.line

const NO_RUNS: string[] = []

interface LineMenuProps {
  place: Place
  rights: Rights
  line: Exclude<Line, { kind: 'loading' }>
  column: Placed | null
  at: Point
  name: string
  isBaseline: boolean
  trashed: boolean
  onClose: () => void
  onOpen: (aside: boolean) => void
  onRename: () => void
  onBaseline: () => void
  onOnly: () => void
  onFilter: (expression: string) => void
  onDelete: () => void
}

/** The context menu of a run or group, and of the clicked value. */
export function LineMenu(p: LineMenuProps) {
  const { line } = p
  const mayDelete = useMayDelete(p.place, p.rights, line.kind === 'run' ? [line.id] : NO_RUNS, p.trashed)
  const icon = (Icon: typeof IconEye) => <Icon size={15} aria-hidden />
  return (
    <PopMenu at={p.at} label={p.name} onClose={p.onClose}>
      <Menu.Label maw={260}>{p.name}</Menu.Label>
      {line.kind === 'run' && (
        <>
          <Menu.Item leftSection={icon(IconExternalLink)} onClick={() => p.onOpen(false)}>
            {texts.open}
          </Menu.Item>
          <Menu.Item leftSection={<span className={css.noIcon} />} onClick={() => p.onOpen(true)}>
            {texts.openAside}
          </Menu.Item>
          <Menu.Item leftSection={icon(IconAnchor)} onClick={p.onBaseline}>
            {p.isBaseline ? texts.noBaseline : texts.baseline}
          </Menu.Item>
          {p.rights.has('edit') && (
            <Menu.Item leftSection={icon(IconPencil)} onClick={p.onRename}>
              {texts.rename}
            </Menu.Item>
          )}
        </>
      )}
      <Menu.Item leftSection={icon(IconEye)} onClick={p.onOnly}>
        {texts.only}
      </Menu.Item>
      {line.kind === 'group' && (
        <Menu.Item leftSection={icon(IconFilter)} onClick={() => p.onFilter(line.group.filter)}>
          {texts.onlyGroup}
        </Menu.Item>
      )}
      <ValueItems {...p} />
      {line.kind === 'run' && mayDelete && (
        <>
          <Menu.Divider />
          <Menu.Item color="red" leftSection={icon(IconTrash)} onClick={p.onDelete}>
            {texts.delete}
          </Menu.Item>
        </>
      )}
    </PopMenu>
  )
}

function ValueItems({ line, column: placed, onFilter }: LineMenuProps) {
  if (!placed || line.kind !== 'run') return null
  const { column } = placed
  const item = line.page.columns[column.name]?.[line.at]
  const name = writtenName(column.name)
  const none = item === null || item === undefined
  const text = none ? '' : textOf(column, item)
  const pairs = none ? [[`${name} is null`, `${name} is not null`] as const] : conditionsOn(column, item)
  return (
    <>
      <Menu.Divider />
      {pairs.map(([only, except]) => (
        <span key={only}>
          <Menu.Item leftSection={<IconFilter size={15} />} onClick={() => onFilter(only)}>
            {texts.filterIs(short(only))}
          </Menu.Item>
          <Menu.Item leftSection={<IconFilterOff size={15} />} onClick={() => onFilter(except)}>
            {texts.filterIs(short(except))}
          </Menu.Item>
        </span>
      ))}
      {!none && (
        <Menu.Item
          leftSection={<IconCopy size={15} />}
          onClick={() => void navigator.clipboard.writeText(titleOf(column, item) ?? text)}
        >
          {texts.copy}
        </Menu.Item>
      )}
    </>
  )
}

/** Return filter conditions that a run's value meets, and their opposites. */
function conditionsOn({ name: column, type }: Column, item: unknown): (readonly [string, string])[] {
  const name = writtenName(column)
  if (type === 'time' && typeof item === 'number') {
    const time = writtenValue(new Date(Math.floor(item / 60) * 60_000).toISOString().slice(0, 16).replace('T', ' '))
    return [[`${name} >= ${time}`, `${name} < ${time}`]]
  }
  if (Array.isArray(item)) {
    return item.slice(0, 3).map((one) => [`${name} has ${writtenValue(one)}`, `not ${name} has ${writtenValue(one)}`])
  }
  if (!['string', 'number', 'boolean'].includes(typeof item)) return []
  return [[`${name} == ${writtenValue(item)}`, `${name} != ${writtenValue(item)}`]]
}

const short = (text: string): string => (text.length > 48 ? `${text.slice(0, 47)}…` : text)
