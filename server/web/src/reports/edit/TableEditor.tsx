import css from './fields.module.css'
import { MultiSelect, Select, Switch, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { Place } from '../../api/paths'
import { columnsQuery, useColumnSearch } from '../../project/columnCatalogue'
import { strings } from '../../strings'
import type { TableBlock } from '../blocks'
import { runsOf } from '../choiceOf'
import { TableView } from '../TableView'
import type { BlockProps } from './props'
import { RunsField } from './RunsField'

const texts = strings.reportEditor

/** Choose runs, columns and order of a run table. */
export function TableEditor({ place, block, set }: BlockProps<TableBlock>) {
  const [search, setSearch] = useState('')
  useColumnSearch(place, search)
  const names = useColumnNames(place, [...block.columns, ...block.sort.map((one) => one.column)])
  const sort = block.sort[0]
  return (
    <div className={css.fields}>
      <TableView {...place} block={block} />
      <div className={css.row}>
        <TextInput
          size="xs"
          label={texts.tableTitle}
          maxLength={1000}
          value={block.title}
          onChange={(event) => set({ ...block, title: event.currentTarget.value })}
        />
        <Select
          size="xs"
          label={texts.sort}
          searchable
          onSearchChange={setSearch}
          limit={200}
          placeholder={texts.newest}
          clearable
          nothingFoundMessage={texts.nothing}
          data={names}
          value={sort?.column ?? null}
          onChange={(column) =>
            set({ ...block, sort: column ? [{ column, descending: sort?.descending ?? true }] : [] })
          }
        />
        {sort && (
          <Switch
            size="xs"
            label={texts.descending}
            checked={sort.descending}
            onChange={(event) => set({ ...block, sort: [{ ...sort, descending: event.currentTarget.checked }] })}
          />
        )}
      </div>
      <MultiSelect
        size="xs"
        label={texts.columns}
        placeholder={block.columns.length ? undefined : texts.columnsHint}
        searchable
        onSearchChange={setSearch}
        limit={200}
        maxValues={100}
        nothingFoundMessage={texts.nothing}
        data={names.filter((name) => name !== 'name')}
        value={block.columns}
        onChange={(columns) => set({ ...block, columns })}
      />
      <RunsField
        place={place}
        choice={block}
        onChange={({ runs, filter, limit }) => set({ ...block, runs, filter, limit })}
        onView={(choice) => set({ ...block, ...runsOf(choice), sort: choice.view.sort ?? [] })}
      />
    </div>
  )
}

/** Return the columns of a project, and those that are named although no run has them. */
function useColumnNames(place: Place, named: string[]): string[] {
  const { data } = useQuery(columnsQuery(place))
  return [...new Set([...(data?.columns ?? []).map((column) => column.name), ...named])]
}
