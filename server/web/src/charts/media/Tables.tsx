import css from './Tables.module.css'
import { signed } from '../../api/session'
import { ActionIcon, Select, Table, Text, TextInput, UnstyledButton } from '@mantine/core'
import { IconArrowDown, IconArrowUp, IconDownload } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useMemo, useRef, useState } from 'react'
import { value as shownValue } from '../../lib/format'
import { strings } from '../../strings'
import { Loading, Trouble } from '../panel/States'
import { Medium } from './Gallery'
import { contentQuery } from './useMedia'
import type { Shown, ViewProps } from './props'
import { arranged, tableOf } from './tableContent'
import { mediaOf, type Stored } from './mediaValues'

/** Show the logged table of one run at a time; sorting and searching happen in the browser. */
export default function Tables({ shown }: ViewProps) {
  const [path, setPath] = useState<string | null>(null)
  const one = shown.find(({ run }) => run.path === path) ?? shown[0]
  const value = one?.values.find((found): found is Stored => found._type === 'table')
  if (!one || !value) return <Text size="sm">{strings.charts.media.notYet}</Text>
  return <OneTable key={value.digest} one={one} value={value} choices={shown} onChoose={setPath} />
}

interface OneProps {
  one: Shown
  value: Stored
  choices: Shown[]
  onChoose: (path: string | null) => void
}

function OneTable({ one, value, choices, onChoose }: OneProps) {
  const { data, error, isPending } = useQuery(contentQuery(one.base, value.digest))
  const [search, setSearch] = useState('')
  const [sort, setSort] = useState<{ column: string; descending: boolean } | null>(null)
  const table = useMemo(() => tableOf(data), [data])
  const rows = useMemo(() => arranged(table, search, sort), [table, search, sort])
  const text = strings.charts.media
  const scroll = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => 30,
    overscan: 10,
  })
  if (error) return <Trouble error={error} />
  if (isPending) return <Loading />
  const items = virtual.getVirtualItems()
  const before = items[0]?.start ?? 0
  const after = virtual.getTotalSize() - (items[items.length - 1]?.end ?? 0)
  return (
    <div className={css.table}>
      <div className={css.bar}>
        {choices.length > 1 && (
          <Select
            size="xs"
            flex="1 1 110px"
            maw={200}
            aria-label={text.run}
            allowDeselect={false}
            data={choices.map(({ run }) => ({ value: run.path, label: run.name }))}
            value={one.run.path}
            onChange={onChoose}
          />
        )}
        <TextInput
          size="xs"
          flex="1 1 110px"
          maw={200}
          placeholder={strings.common.search}
          aria-label={text.searchTable}
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
        />
        <Text size="xs" c="dimmed">
          {text.rows(rows.length, table.data.length)}
        </Text>
        <ActionIcon
          component="a"
          href={signed(`${one.base}/blobs/${value.digest}`)}
          variant="subtle"
          color="gray"
          aria-label={text.download}
          title={text.download}
        >
          <IconDownload size={14} />
        </ActionIcon>
      </div>
      <div className={css.scroller} ref={scroll} tabIndex={0} role="region" aria-label={text.table(one.run.name)}>
        <Table stickyHeader fz="xs" verticalSpacing={2}>
          <Table.Thead>
            <Table.Tr>
              {table.columns.map((column) => {
                const here = sort?.column === column
                const Icon = here && sort.descending ? IconArrowDown : IconArrowUp
                return (
                  <Table.Th key={column} aria-sort={here ? (sort.descending ? 'descending' : 'ascending') : 'none'}>
                    <UnstyledButton
                      fz="xs"
                      fw={600}
                      onClick={() => setSort({ column, descending: here && !sort.descending })}
                    >
                      {column} {here && <Icon size={11} aria-hidden />}
                    </UnstyledButton>
                  </Table.Th>
                )
              })}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {before > 0 && <tr aria-hidden style={{ height: before }} />}
            {items.map(({ index }) => (
              <Table.Tr key={index} data-index={index} ref={virtual.measureElement}>
                {table.columns.map((column, i) => (
                  <Table.Td key={column}>
                    <Cell cell={rows[index]![i]} base={one.base} label={`${column}, ${index + 1}`} />
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
            {after > 0 && <tr aria-hidden style={{ height: after }} />}
          </Table.Tbody>
        </Table>
      </div>
    </div>
  )
}

function Cell({ cell, base, label }: { cell: unknown; base: string; label: string }) {
  const media = mediaOf(cell)
  if (media.length) return media.map((value, i) => <Medium key={i} small {...{ base, value, label }} />)
  return <span className={css.cell}>{shownValue(cell)}</span>
}
