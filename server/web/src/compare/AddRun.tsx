import { Select } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconPlus } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { Place } from '../api/paths'
import { steadyTableQuery } from '../api/table'
import { strings } from '../strings'

const SHOWN = 20

/** Find a run by name or ID, and add it. */
export function AddRun({ entity, project, chosen, add }: Place & { chosen: string[]; add: (id: string) => void }) {
  const [text, setText] = useState('')
  const [search] = useDebouncedValue(text, 150)
  const { data } = useQuery(
    steadyTableQuery(
      { entity, project },
      {
        filter: '',
        search,
        sort: [{ column: 'created', descending: true }],
        columns: ['name'],
        offset: 0,
        limit: SHOWN,
      },
    ),
  )
  const found = (data?.runs ?? [])
    .map((id, i) => ({ value: id, label: nameOf(data?.columns.name?.[i], id) }))
    .filter((one) => !chosen.includes(one.value))
  return (
    <Select
      size="xs"
      w={220}
      searchable
      clearable={false}
      value={null}
      data={found}
      filter={({ options }) => options}
      searchValue={text}
      onSearchChange={setText}
      onChange={(id) => {
        if (id) add(id)
        setText('')
      }}
      placeholder={strings.compare.addPlaceholder}
      aria-label={strings.compare.add}
      leftSection={<IconPlus size={14} />}
      nothingFoundMessage={strings.compare.noMatch}
    />
  )
}

const nameOf = (name: unknown, id: string) => (name && name !== id ? `${String(name)} · ${id}` : id)
