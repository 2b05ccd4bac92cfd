import css from './EditForm.module.css'
import {
  Autocomplete,
  Button,
  Group,
  MultiSelect,
  NumberInput,
  SegmentedControl,
  Select,
  Stack,
  Switch,
  TextInput,
} from '@mantine/core'
import { useState } from 'react'
import { strings } from '../../strings'
import { useColumnSearch } from '../../project/columnCatalogue'
import { columnTitle, titleOf } from '../panelSpec'
import { useColumns } from '../table/runRows'
import { draftOf, KINDS, sectionFor, specOf, type Draft } from './draft'
import type { EditProps } from './props'

type Fields = { draft: Draft; set: (change: Partial<Draft>) => void; context: EditProps['context'] }

/** The form that edits a panel. */
export default function EditForm({ spec, context, inSection = true, onClose, onSave }: EditProps) {
  const columns = useColumns(context.entity, context.project)
  const [changes, setChanges] = useState<Partial<Draft>>({})
  const draft = { ...draftOf(spec, context.keys, columns), ...changes }
  const set = (change: Partial<Draft>) => setChanges((before) => ({ ...before, ...change }))
  const text = strings.charts.edit
  const made = specOf(draft, spec)
  const kinds = KINDS.some((kind) => kind === draft.kind) ? KINDS : [...KINDS, draft.kind]
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (made) onSave(made)
      }}
    >
      <Stack gap="sm">
        <SegmentedControl
          aria-label={text.kind}
          size="xs"
          className={css.kinds}
          data={kinds.map((kind) => ({ value: kind, label: text.kinds[kind] ?? kind }))}
          value={draft.kind}
          onChange={(kind) => set({ kind: kind as Draft['kind'] })}
        />
        {draft.kind === 'line' && <LineFields {...{ draft, set, context }} isNew={!spec} />}
        {draft.kind === 'bar' && <Column label={text.column} name="column" {...{ draft, set, context }} />}
        {draft.kind === 'scatter' && <ScatterFields {...{ draft, set, context }} />}
        {draft.kind === 'parallel' && <ParallelFields {...{ draft, set, context }} />}
        {!['line', 'bar', 'scatter', 'parallel'].includes(draft.kind) && (
          <Select
            label={text.media}
            searchable
            nothingFoundMessage={text.nothing}
            data={context.keys.filter((key) => key.type === 'media').map((key) => key.key)}
            value={draft.key || null}
            onChange={(key) => set({ key: key ?? '', ...(!spec && key && { section: sectionFor(key) }) })}
          />
        )}
        <Group grow>
          <TextInput
            label={text.title}
            placeholder={made ? titleOf({ ...made, title: undefined }) : ''}
            value={draft.title}
            onChange={(event) => set({ title: event.currentTarget.value })}
          />
          {inSection && (
            <Autocomplete
              label={text.section}
              data={[...new Set(context.keys.map((key) => sectionFor(key.key)))].sort()}
              value={draft.section}
              onChange={(section) => set({ section })}
            />
          )}
        </Group>
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {text.cancel}
          </Button>
          <Button type="submit" disabled={!made}>
            {spec ? text.save : text.add}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

function LineFields({ draft, set, context, isNew }: Fields & { isNew: boolean }) {
  const text = strings.charts.edit
  const metrics = [
    ...new Set([...context.keys.filter((key) => key.type === 'number').map((key) => key.key), ...draft.keys]),
  ].sort()
  const matches = matchesOf(draft.regex, metrics)
  return (
    <>
      <MultiSelect
        label={text.keys}
        searchable
        data-autofocus
        limit={200}
        nothingFoundMessage={text.nothing}
        data={metrics}
        value={draft.keys}
        onChange={(keys) => set({ keys, ...(isNew && keys[0] && { section: sectionFor(keys[0]) }) })}
      />
      <TextInput
        label={text.regex}
        value={draft.regex}
        error={matches === null && text.badRegex}
        description={draft.regex && matches !== null ? text.regexMatches(matches) : undefined}
        onChange={(event) => set({ regex: event.currentTarget.value })}
      />
      <Select
        label={text.x}
        searchable
        allowDeselect={false}
        limit={200}
        data={[
          { value: '', label: text.commonX },
          ...Object.entries(strings.charts.axes).map(([value, label]) => ({ value, label })),
          ...metrics.filter(Boolean).map((value) => ({ value, label: value })),
        ]}
        value={draft.ownX}
        onChange={(ownX) => set({ ownX: ownX ?? '' })}
      />
      <Logs {...{ draft, set }} />
      <Group align="flex-end">
        <Switch
          label={text.smoothing}
          checked={draft.smoothing === 'own'}
          onChange={(event) => set({ smoothing: event.currentTarget.checked ? 'own' : 'common' })}
        />
        {draft.smoothing === 'own' && (
          <>
            <Select
              size="xs"
              aria-label={strings.charts.toolbar.smoothing}
              allowDeselect={false}
              data={Object.entries(strings.charts.toolbar.kinds).map(([value, label]) => ({ value, label }))}
              value={draft.smoothingKind}
              onChange={(value) =>
                set({ smoothingKind: value as Draft['smoothingKind'], weight: value === 'mean' ? 10 : 0.6 })
              }
            />
            {draft.smoothingKind !== 'none' && (
              <NumberInput
                size="xs"
                w={80}
                aria-label={
                  draft.smoothingKind === 'mean' ? strings.charts.toolbar.window : strings.charts.toolbar.weight
                }
                min={0}
                max={draft.smoothingKind === 'mean' ? 100_000 : 0.999}
                step={draft.smoothingKind === 'mean' ? 1 : 0.05}
                value={draft.weight}
                onChange={(weight) => typeof weight === 'number' && set({ weight })}
              />
            )}
          </>
        )}
      </Group>
    </>
  )
}

const matchesOf = (regex: string, keys: string[]): number | null => {
  try {
    const made = new RegExp(regex)
    return keys.filter((key) => made.test(key)).length
  } catch {
    return null
  }
}

function Logs({ draft, set }: Omit<Fields, 'context'>) {
  const text = strings.charts.toolbar
  return (
    <Group>
      <Switch label={text.logX} checked={draft.logX} onChange={(event) => set({ logX: event.currentTarget.checked })} />
      <Switch label={text.logY} checked={draft.logY} onChange={(event) => set({ logY: event.currentTarget.checked })} />
    </Group>
  )
}

function ScatterFields({ draft, set, context }: Fields) {
  const text = strings.charts.edit
  return (
    <>
      <Group grow>
        <Column label={text.x} name="x" {...{ draft, set, context }} />
        <Column label={text.y} name="y" {...{ draft, set, context }} />
      </Group>
      <Group grow>
        <Column label={text.color} name="color" none={text.noColor} {...{ draft, set, context }} />
        <Select
          label={text.pareto}
          allowDeselect={false}
          data={Object.entries(text.paretos).map(([value, label]) => ({ value, label }))}
          value={draft.pareto}
          onChange={(pareto) => set({ pareto: pareto ?? '' })}
        />
      </Group>
      <Logs {...{ draft, set }} />
    </>
  )
}

function ParallelFields({ draft, set, context }: Fields) {
  const text = strings.charts.edit
  const [search, setSearch] = useState('')
  useColumnSearch(context, search)
  return (
    <>
      <MultiSelect
        label={text.columns}
        searchable
        onSearchChange={setSearch}
        limit={200}
        nothingFoundMessage={text.nothing}
        data={useChoices(context, draft.columns)}
        value={draft.columns}
        onChange={(columns) => set({ columns })}
      />
      <Column label={text.color} name="color" none={text.noColor} {...{ draft, set, context }} />
    </>
  )
}

/** Choose one column of the runs table. */
function Column({
  label,
  name,
  none,
  draft,
  set,
  context,
}: Fields & { label: string; name: 'column' | 'x' | 'y' | 'color'; none?: string }) {
  const choices = useChoices(context, [draft[name]])
  const [search, setSearch] = useState('')
  useColumnSearch(context, search)
  return (
    <Select
      label={label}
      searchable
      onSearchChange={setSearch}
      limit={200}
      allowDeselect={false}
      nothingFoundMessage={strings.charts.edit.nothing}
      data={none ? [{ value: '', label: none }, ...choices] : choices}
      value={draft[name]}
      onChange={(value) => set({ [name]: value ?? '' })}
    />
  )
}

/** Columns that can be drawn: numbers, times, booleans and texts. */
function useChoices({ entity, project }: EditProps['context'], present: string[]) {
  const columns = useColumns(entity, project).filter(
    (column) => !['list', 'media'].includes(column.type) && column.count > 0 && column.name !== 'id',
  )
  const names = new Set([...columns.map((column) => column.name), ...present.filter(Boolean)])
  return [...names].map((value) => ({ value, label: value.startsWith('config.') ? value : columnTitle(value) }))
}
