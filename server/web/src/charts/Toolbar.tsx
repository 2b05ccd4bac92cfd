import css from './Toolbar.module.css'
import {
  ActionIcon,
  Button,
  Group,
  NumberInput,
  Popover,
  Select,
  Slider,
  Stack,
  Switch,
  Text,
  TextInput,
  Tooltip,
} from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { IconAdjustmentsHorizontal, IconPlus, IconSearch, IconZoomReset } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { strings } from '../strings'
import type { ChartsView } from '../view/view'
import type { CommonKey } from '../api/queries'

interface Props {
  view: ChartsView
  onChange: (change: Partial<ChartsView>) => void
  keys: CommonKey[]
  kind: 'history' | 'system'
  drawn: string
  grouped: boolean
  /** More than one run */
  many: boolean
  badSearch: boolean
  onAdd: () => void
}

/** Settings that all panels share. */
export function Toolbar({ view, onChange, keys, kind, drawn, grouped, many, badSearch, onAdd }: Props) {
  const text = strings.charts.toolbar
  const [search, setSearch] = useLater(view.search, (value) => onChange({ search: value }))
  return (
    <Group role="toolbar" aria-label={text.label} gap="xs" className={css.toolbar}>
      <TextInput
        size="xs"
        className={css.search}
        leftSection={<IconSearch size={14} />}
        placeholder={text.search}
        aria-label={text.search}
        error={badSearch}
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
      />
      <Axis value={view.x} kind={kind} keys={keys} onChange={(x) => onChange({ x, zoom: null })} />
      <SmoothingInput view={view} onChange={onChange} />
      <Settings {...{ view, onChange, grouped, many }} />
      {view.zoom && (
        <Button
          size="xs"
          variant="light"
          leftSection={<IconZoomReset size={14} />}
          onClick={() => onChange({ zoom: null })}
        >
          {text.resetZoom}
        </Button>
      )}
      <Text size="xs" c="dimmed" className={css.shown} role="status">
        {many ? drawn : ''}
      </Text>
      <Button
        size="xs"
        px="xs"
        variant="default"
        leftSection={<IconPlus size={14} />}
        onClick={onAdd}
        aria-label={text.add}
        title={text.add}
        className={css.add}
      >
        {text.add}
      </Button>
    </Group>
  )
}

/** Choose the x axis. */
export function Axis({
  value,
  kind,
  keys,
  onChange,
}: {
  value: string
  kind: 'history' | 'system'
  keys: CommonKey[]
  onChange: (x: string) => void
}) {
  const text = strings.charts
  const fixed = kind === 'system' ? ['_runtime', '_timestamp'] : ['_step', '_runtime', '_timestamp']
  const metrics = keys.filter((key) => key.type === 'number').map((key) => key.key)
  if (!value.startsWith('_') && !metrics.includes(value)) metrics.push(value)
  return (
    <Select
      size="xs"
      w={128}
      aria-label={text.toolbar.x}
      searchable
      allowDeselect={false}
      maxDropdownHeight={300}
      limit={200}
      comboboxProps={{ width: 260, position: 'bottom-start' }}
      data={[...fixed.map((x) => ({ value: x, label: text.axes[x]! })), ...metrics]}
      value={kind === 'system' && value === '_step' ? '_runtime' : value}
      onChange={(x) => x && onChange(x)}
    />
  )
}

function SmoothingInput({ view, onChange }: Pick<Props, 'view' | 'onChange'>) {
  const text = strings.charts.toolbar
  const { kind, weight } = view.smoothing
  const mean = kind === 'mean'
  const [shown, setShown] = useLater(weight, (value) => onChange({ smoothing: { kind, weight: value } }))
  return (
    <Group gap={6} wrap="nowrap">
      <Select
        size="xs"
        w={148}
        aria-label={text.smoothing}
        allowDeselect={false}
        data={Object.entries(text.kinds).map(([value, label]) => ({ value, label }))}
        value={kind}
        onChange={(value) => {
          const next = value as ChartsView['smoothing']['kind']
          // A smoothing weight makes no sense as a window size, or the reverse.
          const fits = next === 'none' || (next === 'mean') === weight > 1
          onChange({ smoothing: { kind: next, weight: fits ? weight : next === 'mean' ? 10 : 0.6 } })
        }}
      />
      {kind !== 'none' && (
        <>
          <Slider
            w={84}
            size="sm"
            label={null}
            thumbLabel={mean ? text.window : text.weight}
            min={mean ? 1 : 0}
            max={mean ? 200 : 0.999}
            step={mean ? 1 : 0.001}
            value={shown}
            onChange={setShown}
          />
          <NumberInput
            size="xs"
            w={62}
            hideControls
            aria-label={mean ? text.window : text.weight}
            min={mean ? 1 : 0}
            max={mean ? 100_000 : 0.999}
            decimalScale={mean ? 0 : 3}
            value={shown}
            onChange={(value) => typeof value === 'number' && setShown(value)}
          />
        </>
      )}
    </Group>
  )
}

function Settings({ view, onChange, grouped, many }: Pick<Props, 'view' | 'onChange' | 'grouped' | 'many'>) {
  const text = strings.charts.toolbar
  const [limit, setLimit] = useLater<number | string>(
    view.limit,
    (value) => typeof value === 'number' && onChange({ limit: value }),
  )
  const toggle = (name: 'logX' | 'logY' | 'clip' | 'envelope') => (
    <Switch
      size="xs"
      label={text[name]}
      checked={view[name]}
      onChange={(event) => onChange({ [name]: event.currentTarget.checked })}
    />
  )
  return (
    <Popover position="bottom-start" shadow="md" withinPortal trapFocus>
      <Popover.Target>
        <Tooltip label={text.settings}>
          <ActionIcon size={30} variant="default" aria-label={text.settings}>
            <IconAdjustmentsHorizontal size={16} />
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="sm" w={270}>
          {toggle('logX')}
          {toggle('logY')}
          {toggle('clip')}
          {toggle('envelope')}
          {grouped && (
            <Select
              size="xs"
              label={text.band}
              allowDeselect={false}
              comboboxProps={{ withinPortal: false }}
              data={Object.entries(text.bands).map(([value, label]) => ({ value, label }))}
              value={view.band}
              onChange={(value) => onChange({ band: value as ChartsView['band'] })}
            />
          )}
          {many && (
            <NumberInput
              size="xs"
              label={text.limit}
              min={1}
              max={1000}
              clampBehavior="strict"
              value={limit}
              onChange={setLimit}
            />
          )}
          <Select
            size="xs"
            label={text.columns}
            allowDeselect={false}
            comboboxProps={{ withinPortal: false }}
            data={[
              { value: '0', label: text.auto },
              ...['1', '2', '3', '4', '5', '6'].map((value) => ({ value, label: value })),
            ]}
            value={String(view.columns)}
            onChange={(value) => onChange({ columns: Number(value) })}
          />
          {view.removed.length > 0 && (
            <Button size="xs" variant="light" onClick={() => onChange({ removed: [] })}>
              {text.restore(view.removed.length)}
            </Button>
          )}
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}

/** Return a value that changes at once and is reported shortly after its last change. */
function useLater<T>(value: T, tell: (value: T) => void): [T, (value: T) => void] {
  const [shown, setShown] = useState(value)
  useEffect(() => setShown(value), [value])
  const later = useDebouncedCallback(tell, 150)
  return [
    shown,
    (next) => {
      setShown(next)
      later(next)
    },
  ]
}
