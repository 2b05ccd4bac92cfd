import { Autocomplete, Button, Group, Select, Stack, TagsInput } from '@mantine/core'
import { useMemo, useState } from 'react'
import { strings } from '../../strings'
import type { Place } from '../../api/paths'
import type { ColumnInfo } from '../../api/table'
import { useColumnSearch } from '../columnCatalogue'
import { splitChoice } from '../columns'
import { operatorName, operatorsFor } from './completion'
import { tokenize, writtenName, writtenValue, type Condition } from './expression'

const texts = strings.project.filter

interface ConditionFormProps {
  place: Place
  catalogue: ColumnInfo[]
  start: Condition['simple']
  onDone: (text: string) => void
}

/** The form of one condition: column, operator, value. */
export function ConditionForm({ place, catalogue, start, onDone }: ConditionFormProps) {
  const [name, setName] = useState(start?.name ?? '')
  const [search, setSearch] = useState('')
  useColumnSearch(place, search)
  const column =
    catalogue.find((one) => one.name === name) ?? catalogue.find((one) => one.name === splitChoice(name).base)
  const operators = operatorsFor(column?.type)
  const [chosen, setChosen] = useState(start?.operator ?? '')
  const operator = chosen && (operators.includes(chosen) || chosen === start?.operator) ? chosen : operators[0]!
  const [value, setValue] = useState(start ? plain(start.value) : '')
  const [list, setList] = useState(start ? listed(start.value) : [])
  const names = useMemo(
    () => [...new Set([...(start?.name ? [start.name] : []), ...catalogue.map((one) => one.name)])],
    [catalogue, start],
  )
  const many = operator === 'in' || operator === 'not in'
  const bare = operator.startsWith('is ')
  const known = column?.type === 'boolean' ? ['true', 'false'] : (column?.values ?? [])
  const ready = name !== '' && (bare || (many ? list.length > 0 : value.trim() !== '' || column?.type === 'text'))

  const done = () => {
    if (!ready) return
    const right = bare
      ? ''
      : many
        ? ` [${list.map((one) => written(one, column)).join(', ')}]`
        : ` ${operator === '~' ? writtenValue(value) : written(value, column)}`
    onDone(`${writtenName(name)} ${operator}${right}`)
  }
  return (
    <Stack
      gap="xs"
      w={280}
      component="form"
      onSubmit={(event: React.FormEvent) => {
        event.preventDefault()
        done()
      }}
    >
      <Select
        size="xs"
        label={texts.column}
        data={names}
        value={name || null}
        onChange={(next) => setName(next ?? '')}
        searchable
        onSearchChange={setSearch}
        onFocus={(event) => event.currentTarget.select()}
        limit={60}
        comboboxProps={{ withinPortal: false }}
        data-autofocus={!start?.name || undefined}
        nothingFoundMessage={texts.noColumn}
      />
      <Select
        size="xs"
        label={texts.operator}
        data={operators.map((one) => ({
          value: one,
          label: one === operatorName(one) ? one : `${one}   ${operatorName(one)}`,
        }))}
        value={operator}
        onChange={(next) => setChosen(next ?? '')}
        allowDeselect={false}
        comboboxProps={{ withinPortal: false }}
      />
      {!bare &&
        (many ? (
          <TagsInput
            size="xs"
            label={texts.values}
            data={known}
            value={list}
            onChange={setList}
            comboboxProps={{ withinPortal: false }}
            data-autofocus={start?.name ? true : undefined}
          />
        ) : (
          <Autocomplete
            size="xs"
            label={texts.value}
            data={[...new Set(known)]}
            value={value}
            onChange={setValue}
            comboboxProps={{ withinPortal: false }}
            placeholder={hint(column)}
            data-autofocus={start?.name ? true : undefined}
          />
        ))}
      <Group justify="flex-end">
        <Button size="compact-sm" type="submit" disabled={!ready}>
          {texts.apply}
        </Button>
      </Group>
    </Stack>
  )
}

function hint(column: ColumnInfo | undefined): string {
  if (column?.type === 'time') return texts.timeHint
  if (column?.name === 'duration') return texts.durationHint
  if (typeof column?.min === 'number' && typeof column.max === 'number') return `${column.min} … ${column.max}`
  return ''
}

/** Convert a value of an expression to what a user would type. */
function plain(text: string): string {
  const tokens = tokenize(text)
  return tokens.length === 1 ? tokens[0]!.value : text
}

const listed = (text: string): string[] =>
  tokenize(text)
    .filter((token) => token.kind !== 'sign')
    .map((token) => token.value)

/** Convert typed text to an expression: a number, duration or keyword if the column can hold one, else a text. */
function written(typed: string, column: ColumnInfo | undefined): string {
  const text = typed.trim()
  const kinds = tokenize(text).map((token) => token.kind)
  const isNumber = kinds.length === 1 && kinds[0] === 'number'
  if (isNumber && column?.type !== 'text' && column?.type !== 'list') return text
  if (/^(true|false)$/i.test(text) && column?.type !== 'text') return text.toLowerCase()
  return writtenValue(text)
}
