import css from './ColumnsPanel.module.css'
import { ActionIcon, Button, Group, Popover, Stack, Switch, Text, TextInput } from '@mantine/core'
import { IconColumns3, IconGripVertical, IconPin, IconPinFilled, IconX } from '@tabler/icons-react'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useMemo, useRef, useState, type KeyboardEvent } from 'react'
import { strings } from '../strings'
import type { ViewControl } from '../view/useView'
import { defaultView } from '../view/view'
import type { Place } from '../api/paths'
import type { ColumnInfo } from '../api/table'
import { useColumnSearch } from './columnCatalogue'
import { labelOf, layoutOf, moved, shortOrder, usualOrder, type Column } from './columns'

const texts = strings.project.columns
const LINE = 30

/** Choose the table's columns and their order. */
export function ColumnsPanel({
  place,
  control,
  catalogue,
}: {
  place: Place
  control: ViewControl
  catalogue: ColumnInfo[]
}) {
  const hiddenCount = control.view.columns.hidden.length
  return (
    <Popover shadow="md" position="bottom-start" trapFocus returnFocus width={340}>
      <Popover.Target>
        <Button
          size="compact-sm"
          variant="subtle"
          color="gray"
          leftSection={<IconColumns3 size={15} />}
          title={texts.count(hiddenCount)}
        >
          {texts.title}
        </Button>
      </Popover.Target>
      <Popover.Dropdown p="sm">
        <Panel place={place} control={control} catalogue={catalogue} />
      </Popover.Dropdown>
    </Popover>
  )
}

function Panel({ place, control, catalogue }: { place: Place; control: ViewControl; catalogue: ColumnInfo[] }) {
  const { view, setColumns } = control
  const [search, setSearch] = useState('')
  useColumnSearch(place, search)
  const layout = useMemo(() => layoutOf({ ...view.columns, differing: false }, catalogue), [view.columns, catalogue])
  const usual = useMemo(() => usualOrder(catalogue), [catalogue])
  const byName = useMemo(() => new Map(layout.all.map((one) => [one.name, one])), [layout])
  const wanted = search.trim().toLowerCase()
  const found = layout.order.filter((name) => name.toLowerCase().includes(wanted))
  const list = useRef<HTMLDivElement>(null)
  const lines = useVirtualizer({
    count: found.length,
    getScrollElement: () => list.current,
    estimateSize: () => LINE,
    overscan: 8,
    useFlushSync: false,
  })

  const put = (name: string, before: string | null) =>
    setColumns({ order: shortOrder(moved(layout.order, name, before), usual) })
  const show = (names: string[], on: boolean) => {
    const some = new Set(names)
    const rest = view.columns.hidden.filter((name) => !some.has(name))
    // A column beyond the limit moves to the front.
    if (on && names.length === 1 && layout.left > 0)
      return setColumns({ hidden: rest, order: [names[0]!, ...view.columns.order.filter((name) => name !== names[0])] })
    setColumns({ hidden: on ? rest : [...rest, ...names.filter((name) => name !== 'name')] })
  }
  const step = (name: string, by: number) => {
    const at = layout.order.indexOf(name)
    if (at + by < 0 || at + by >= layout.order.length) return
    put(name, by < 0 ? layout.order[at + by]! : (layout.order[at + by + 1] ?? null))
    const index = found.indexOf(name) + by
    requestAnimationFrame(() => list.current?.querySelector<HTMLElement>(`[data-at="${index}"] [data-grip]`)?.focus())
  }
  return (
    <Stack gap="xs">
      <TextInput
        size="xs"
        placeholder={texts.search}
        aria-label={texts.search}
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
        data-autofocus
      />
      <Group justify="space-between" gap="xs">
        <Switch
          size="xs"
          label={texts.differing}
          checked={view.columns.differing}
          onChange={(event) => setColumns({ differing: event.currentTarget.checked })}
        />
        <Group gap={2}>
          <Button size="compact-xs" variant="subtle" onClick={() => show(found, true)}>
            {texts.all}
          </Button>
          <Button size="compact-xs" variant="subtle" onClick={() => show(found, false)}>
            {texts.none}
          </Button>
          <Button size="compact-xs" variant="subtle" onClick={() => setColumns(defaultView.columns)}>
            {texts.reset}
          </Button>
        </Group>
      </Group>
      <div ref={list} className={css.columns}>
        {!found.length && (
          <Text size="sm" c="dimmed" p="xs">
            {texts.nothing}
          </Text>
        )}
        <ul style={{ height: lines.getTotalSize() }} aria-label={texts.title}>
          {lines.getVirtualItems().map((item) => {
            const column = byName.get(found[item.index]!)!
            return (
              <Line
                key={column.name}
                column={column}
                at={item.index}
                top={item.start}
                shown={layout.visible.has(column.name)}
                pinned={view.columns.pinned.includes(column.name)}
                onShow={(on) => show([column.name], on)}
                onPin={() =>
                  setColumns({
                    pinned: view.columns.pinned.includes(column.name)
                      ? view.columns.pinned.filter((one) => one !== column.name)
                      : [...view.columns.pinned, column.name],
                  })
                }
                onRemove={
                  column.choice
                    ? () => setColumns({ order: view.columns.order.filter((one) => one !== column.name) })
                    : undefined
                }
                onDrop={(name) => put(name, column.name)}
                onStep={(by) => step(column.name, by)}
              />
            )
          })}
        </ul>
      </div>
      {layout.left > 0 && (
        <Text size="xs" c="dimmed">
          {texts.some(layout.visible.size)}
        </Text>
      )}
      <Text size="xs" c="dimmed">
        {texts.hint}
      </Text>
    </Stack>
  )
}

interface LineProps {
  column: Column
  at: number
  top: number
  shown: boolean
  pinned: boolean
  onShow: (on: boolean) => void
  onPin: () => void
  onRemove: (() => void) | undefined
  onDrop: (name: string) => void
  onStep: (by: number) => void
}

function Line({ column, at, top, shown, pinned, onShow, onPin, onRemove, onDrop, onStep }: LineProps) {
  const [over, setOver] = useState(false)
  const { label, from } = labelOf(column)
  const fixed = column.name === 'name'
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key]
    if (by === undefined) return
    event.preventDefault()
    onStep(by)
  }
  return (
    <li
      data-at={at}
      className={over ? css.over : undefined}
      style={{ transform: `translateY(${top}px)` }}
      draggable
      onDragStart={(event) => event.dataTransfer.setData('text/column', column.name)}
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault()
        setOver(false)
        const name = event.dataTransfer.getData('text/column')
        if (name) onDrop(name)
      }}
    >
      <button type="button" className={css.grip} data-grip aria-label={texts.move(column.name)} onKeyDown={onKeyDown}>
        <IconGripVertical size={14} />
      </button>
      <label title={column.name}>
        <input
          type="checkbox"
          checked={shown}
          disabled={fixed}
          onChange={(event) => onShow(event.currentTarget.checked)}
        />
        <span>{label}</span>
        <small>{from}</small>
      </label>
      {onRemove && (
        <ActionIcon size="sm" variant="subtle" color="gray" aria-label={texts.remove(column.name)} onClick={onRemove}>
          <IconX size={13} />
        </ActionIcon>
      )}
      {!fixed && (
        <ActionIcon
          size="sm"
          variant="subtle"
          color={pinned ? undefined : 'gray'}
          aria-pressed={pinned}
          aria-label={texts.pin(column.name)}
          onClick={onPin}
        >
          {pinned ? <IconPinFilled size={13} /> : <IconPin size={13} />}
        </ActionIcon>
      )}
    </li>
  )
}
