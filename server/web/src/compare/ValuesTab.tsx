import { Group, Switch, Text } from '@mantine/core'
import { useMemo, useState } from 'react'
import { exact } from '../run/values'
import { SearchField } from '../shell/SearchField'
import { strings } from '../strings'
import type { CompareProps } from './props'
import { differencesOf, type Row } from './valueDifferences'
import { SideBySide } from './SideBySide'

/** Compare state, config and summary of the runs; by default only differences. */
export function ValuesTab(props: CompareProps) {
  const rows = useMemo(() => differencesOf(props.runs), [props.runs])
  return <Searched rows={rows} {...props} />
}

/** A table with a search field and a switch for differences only. */
export function Searched({ rows, ...props }: CompareProps & { rows: Row[] }) {
  const [search, setSearch] = useState('')
  // Unless the user chooses: runs load one by one, and a single run has no differences.
  const [chosen, setDiffering] = useState<boolean | null>(null)
  const differing = chosen ?? props.runs.length > 1
  const wanted = search.trim().toLowerCase()
  const possible = differing ? rows.filter((row) => row.differs) : rows
  const shown = wanted ? possible.filter((row) => textOf(row).includes(wanted)) : possible
  return (
    <>
      <Group p="sm" gap="md">
        <SearchField label={strings.compare.search} value={search} onChange={setSearch} w={{ base: '100%', xs: 260 }} />
        <Switch
          size="xs"
          label={strings.compare.differing}
          checked={differing}
          onChange={(event) => setDiffering(event.currentTarget.checked)}
        />
        <Text size="xs" c="dimmed" role="status">
          {strings.values.of(shown.length, rows.length)}
        </Text>
      </Group>
      <SideBySide rows={shown} {...props} />
      {!shown.length && (
        <Text c="dimmed" p="md">
          {wanted ? strings.compare.noMatch : strings.compare.allSame}
        </Text>
      )}
    </>
  )
}

const textOf = (row: Row) =>
  `${row.name}\n${row.values.map((value) => (value === undefined ? '' : exact(value))).join('\n')}`.toLowerCase()
