import { Button, MultiSelect, Popover, SegmentedControl, Stack, Text } from '@mantine/core'
import { IconStack2 } from '@tabler/icons-react'
import { useMemo, useState } from 'react'
import { strings } from '../strings'
import type { ViewControl } from '../view/useView'
import type { Place } from '../api/paths'
import type { ColumnInfo } from '../api/table'
import { useColumnSearch } from './columnCatalogue'

const texts = strings.project.group

/** Choose how runs are grouped: by columns, or by all config except some. */
export function GroupPicker({
  place,
  control,
  catalogue,
}: {
  place: Place
  control: ViewControl
  catalogue: ColumnInfo[]
}) {
  const { view, set } = control
  const now = view.group
  const [search, setSearch] = useState('')
  useColumnSearch(place, search)
  const [mode, setMode] = useState<'by' | 'except'>(now && 'except' in now ? 'except' : 'by')
  const chosen = !now ? [] : 'by' in now ? now.by : now.except
  const data = useMemo(() => {
    const names = (kinds: string[]) =>
      catalogue
        .filter(
          (one) =>
            kinds.includes(one.kind) &&
            !['id', 'name', 'notes', 'created', 'updated', 'duration', 'color', 'error'].includes(one.name),
        )
        .map((one) => one.name)
    const config = names(['config'])
    if (mode === 'except') return config
    return [
      { group: texts.config, items: config },
      { group: texts.run, items: names(['run']) },
      { group: texts.summary, items: names(['summary']) },
    ]
  }, [catalogue, mode])
  const put = (next: string[], how = mode) =>
    set({ group: how === 'except' ? { except: next } : next.length ? { by: next } : null })
  const said = !now
    ? texts.title
    : 'by' in now
      ? texts.by(now.by.map((one) => one.replace(/^(config|summary)\./, '')).join(', '))
      : texts.except
  return (
    <Popover shadow="md" position="bottom-start" trapFocus returnFocus width={320}>
      <Popover.Target>
        <Button
          size="compact-sm"
          variant={now ? 'light' : 'subtle'}
          color={now ? undefined : 'gray'}
          leftSection={<IconStack2 size={15} />}
          maw={220}
          title={said}
        >
          {said}
        </Button>
      </Popover.Target>
      <Popover.Dropdown p="sm">
        <Stack gap="xs">
          <SegmentedControl
            size="xs"
            fullWidth
            aria-label={texts.title}
            value={mode}
            onChange={(next) => {
              setMode(next as 'by' | 'except')
              if (now) put([], next as 'by' | 'except')
            }}
            data={[
              { value: 'by', label: texts.byMode },
              { value: 'except', label: texts.exceptMode },
            ]}
          />
          {/* Above the choices, whose list would lie over them */}
          {mode === 'except' && !now && (
            <Button size="compact-sm" variant="light" onClick={() => put([])}>
              {texts.group}
            </Button>
          )}
          {now && (
            <Button size="compact-sm" variant="light" color="gray" onClick={() => set({ group: null })}>
              {texts.ungroup}
            </Button>
          )}
          <MultiSelect
            size="xs"
            aria-label={mode === 'by' ? texts.columns : texts.exceptions}
            placeholder={chosen.length ? '' : mode === 'by' ? texts.columns : texts.exceptions}
            data={data}
            value={chosen}
            onChange={(next) => put(next)}
            searchable
            onSearchChange={setSearch}
            limit={80}
            comboboxProps={{ withinPortal: false }}
            data-autofocus
          />
          <Text size="xs" c="dimmed">
            {mode === 'by' ? texts.byHint : texts.exceptHint}
          </Text>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}
