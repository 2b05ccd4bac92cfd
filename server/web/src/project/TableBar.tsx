import css from './TableBar.module.css'
import { ActionIcon, Button, Group, Menu, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconDots, IconDownload, IconEye, IconTrash } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { memo } from 'react'
import type { Rights } from '../access/rights'
import { download } from '../lib/download'
import { strings } from '../strings'
import type { ViewControl } from '../view/useView'
import type { Place } from '../api/paths'
import {
  firstPage,
  steadyTableQuery,
  type ColumnInfo,
  type Selection,
  type TablePage,
  type TableRequest,
} from '../api/table'
import { layoutOf } from './columns'
import { ColumnsPanel } from './ColumnsPanel'
import { fetchCsv } from './csvExport'
import { GroupPicker } from './GroupPicker'

const texts = strings.project.bar

interface TableBarProps {
  place: Place
  control: ViewControl
  catalogue: ColumnInfo[]
  question: Selection
  /** Columns that the table requests */
  wanted: string[]
  /** Number of matching groups, if runs are grouped */
  total: number
  trashed: boolean
  rights: Rights
  onTrash: (on: boolean) => void
}

const totalOf = (page: TablePage) => page.total

/** The bar above the table: number of runs, columns, grouping, options. */
export const TableBar = memo(function TableBar({
  place,
  control,
  catalogue,
  question,
  wanted,
  total,
  trashed,
  rights,
  onTrash,
}: TableBarProps) {
  const { view, set } = control
  const few: TableRequest = { ...question, sort: [], columns: [], offset: 0, limit: 0 }
  const { data: runs } = useQuery({
    ...steadyTableQuery(place, view.group && !trashed ? few : firstPage(question, wanted)),
    select: totalOf,
  })
  const save = async () => {
    const layout = layoutOf(view.columns, catalogue)
    const names = [
      ...layout.pinned,
      ...layout.order.filter((name) => layout.visible.has(name) && !layout.pinned.includes(name)),
    ]
    const times = new Set(layout.all.filter((one) => one.type === 'time').map((one) => one.name))
    try {
      // The mark at the beginning tells spreadsheets that it is UTF-8.
      download(`${place.project}.csv`, '\ufeff' + (await fetchCsv(place, question, names, times)), 'text/csv')
    } catch (error) {
      notifications.show({
        color: 'red',
        title: texts.csvFailed,
        message: error instanceof Error ? error.message : String(error),
      })
    }
  }
  return (
    <Group className={css.bar} gap={4} wrap="nowrap">
      {trashed ? (
        <>
          <Text size="sm" fw={600}>
            {texts.trash(runs ?? 0)}
          </Text>
          <Text size="xs" c="dimmed" truncate>
            {texts.trashHint}
          </Text>
          <Button size="compact-sm" variant="light" ml="auto" onClick={() => onTrash(false)}>
            {texts.leaveTrash}
          </Button>
        </>
      ) : (
        <>
          <Text size="sm" fw={600} mr={4} role="status" className={css.total}>
            {runs !== undefined ? (view.group ? texts.groups(total, runs) : strings.common.runs(runs)) : ' '}
          </Text>
          <ColumnsPanel place={place} control={control} catalogue={catalogue} />
          <GroupPicker place={place} control={control} catalogue={catalogue} />
          <Menu position="bottom-end" shadow="md">
            <Menu.Target>
              <ActionIcon ml="auto" variant="subtle" color="gray" aria-label={texts.more}>
                <IconDots size={16} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item leftSection={<IconDownload size={15} />} onClick={() => void save()}>
                {texts.csv}
              </Menu.Item>
              <Menu.Item
                leftSection={<IconEye size={15} />}
                disabled={!view.hidden.length}
                onClick={() => set({ hidden: [] })}
              >
                {texts.showAll}
              </Menu.Item>
              {(rights.has('delete') || rights.has('delete_own')) && (
                <>
                  <Menu.Divider />
                  <Menu.Item leftSection={<IconTrash size={15} />} onClick={() => onTrash(true)}>
                    {texts.openTrash}
                  </Menu.Item>
                </>
              )}
            </Menu.Dropdown>
          </Menu>
        </>
      )}
    </Group>
  )
})
