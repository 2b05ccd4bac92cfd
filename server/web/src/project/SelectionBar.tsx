import css from './SelectionBar.module.css'
import { ActionIcon, Button, Group, Popover, Stack, TagsInput, Text, Tooltip } from '@mantine/core'
import {
  IconArrowBackUp,
  IconFolderSymlink,
  IconGitCompare,
  IconPencil,
  IconPlayerStop,
  IconTag,
  IconTrash,
  IconX,
} from '@tabler/icons-react'
import { useState } from 'react'
import type { Rights } from '../access/rights'
import { useWhoami } from '../api/whoami'
import { strings } from '../strings'
import type { ColumnInfo } from '../api/table'
import type { RunActions } from './useActions'

const texts = strings.project.selection
const MOST_COMPARED = 50

interface SelectionBarProps {
  ids: ReadonlySet<string>
  trashed: boolean
  rights: Rights
  /** Whether all selected runs may be deleted */
  mayDelete: boolean
  catalogue: ColumnInfo[]
  actions: RunActions
  onCompare: (ids: string[]) => void
  onMove: (ids: string[]) => void
  onEdit: (ids: string[]) => void
  onAll: () => void
  onClear: () => void
}

/** The bar of actions on the selected runs. */
export function SelectionBar({
  ids,
  trashed,
  rights,
  mayDelete,
  catalogue,
  actions,
  onCompare,
  onMove,
  onEdit,
  onAll,
  onClear,
}: SelectionBarProps) {
  const chosen = [...ids]
  const isTeam = useWhoami()?.mode === 'team'
  const done = (work: Promise<void>) => void work.then(onClear)
  const button = (Icon: typeof IconX, label: string, onClick: () => void, color?: string, disabled = false) => (
    <Button
      size="compact-sm"
      variant="subtle"
      color={color ?? 'gray'}
      c={color || disabled ? undefined : 'inherit'}
      leftSection={<Icon size={15} />}
      onClick={onClick}
      disabled={disabled}
    >
      {label}
    </Button>
  )
  return (
    <Group className={css.bar} gap={0} role="toolbar" aria-label={texts.label}>
      <Text size="sm" fw={600} mr={6} role="status">
        {texts.count(ids.size)}
      </Text>
      {trashed ? (
        <>
          {mayDelete && button(IconArrowBackUp, texts.restore, () => done(actions.restore(chosen)))}
          {mayDelete && <Destroy count={ids.size} onSure={() => done(actions.destroy(chosen))} />}
        </>
      ) : (
        <>
          {button(
            IconGitCompare,
            texts.compare,
            () => onCompare(chosen),
            undefined,
            ids.size < 2 || ids.size > MOST_COMPARED,
          )}
          {rights.has('edit') && (
            <Tags
              catalogue={catalogue}
              onAdd={(tags) => void actions.edit(chosen, { add_tags: tags })}
              onRemove={(tags) => void actions.edit(chosen, { remove_tags: tags })}
            />
          )}
          {rights.has('edit') && button(IconPencil, texts.edit, () => onEdit(chosen))}
          {rights.has('log') && button(IconPlayerStop, texts.stop, () => void actions.edit(chosen, { stop: true }))}
          {isTeam &&
            rights.has('manage_project') &&
            button(IconFolderSymlink, strings.settings.moveRuns, () => onMove(chosen))}
          {mayDelete && button(IconTrash, texts.delete, () => done(actions.trash(chosen)), 'red')}
        </>
      )}
      <Button size="compact-sm" variant="subtle" onClick={onAll}>
        {texts.all}
      </Button>
      <Tooltip label={texts.clear}>
        <ActionIcon variant="subtle" color="gray" ml="auto" aria-label={texts.clear} onClick={onClear}>
          <IconX size={16} />
        </ActionIcon>
      </Tooltip>
    </Group>
  )
}

function Tags({
  catalogue,
  onAdd,
  onRemove,
}: {
  catalogue: ColumnInfo[]
  onAdd: (tags: string[]) => void
  onRemove: (tags: string[]) => void
}) {
  const [open, setOpen] = useState(false)
  const [tags, setTags] = useState<string[]>([])
  const known = catalogue.find((one) => one.name === 'tags')?.values ?? []
  const finish = (work: (tags: string[]) => void) => {
    work(tags)
    setTags([])
    setOpen(false)
  }
  return (
    <Popover opened={open} onChange={setOpen} trapFocus returnFocus shadow="md" width={280}>
      <Popover.Target>
        <Button
          size="compact-sm"
          variant="subtle"
          color="gray"
          c="inherit"
          leftSection={<IconTag size={15} />}
          onClick={() => setOpen(!open)}
          aria-expanded={open}
        >
          {texts.tag}
        </Button>
      </Popover.Target>
      <Popover.Dropdown p="sm">
        <Stack gap="xs">
          <TagsInput
            size="xs"
            label={texts.tags}
            data={known}
            value={tags}
            onChange={setTags}
            comboboxProps={{ withinPortal: false, position: 'top' }}
            data-autofocus
          />
          <Group gap="xs" justify="flex-end">
            <Button size="compact-sm" variant="default" disabled={!tags.length} onClick={() => finish(onRemove)}>
              {texts.removeTags}
            </Button>
            <Button size="compact-sm" disabled={!tags.length} onClick={() => finish(onAdd)}>
              {texts.addTags}
            </Button>
          </Group>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}

/** Ask once more before permanent deletion. */
function Destroy({ count, onSure }: { count: number; onSure: () => void }) {
  const [open, setOpen] = useState(false)
  return (
    <Popover opened={open} onChange={setOpen} trapFocus returnFocus shadow="md" width={260}>
      <Popover.Target>
        <Button
          size="compact-sm"
          variant="subtle"
          color="red"
          leftSection={<IconTrash size={15} />}
          onClick={() => setOpen(!open)}
          aria-expanded={open}
        >
          {texts.destroy}
        </Button>
      </Popover.Target>
      <Popover.Dropdown p="sm">
        <Stack gap="xs">
          <Text size="sm">{texts.sure(count)}</Text>
          <Button size="compact-sm" color="red" onClick={onSure}>
            {texts.destroy}
          </Button>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}
