import { Button, Group, Stack, Text } from '@mantine/core'
import { strings } from '../strings'
import type { ViewControl } from '../view/useView'
import { FilterError } from '../api/client'
import type { Selection } from '../api/table'

const texts = strings.project.empty

/** Say why the table is empty, and offer what to do about it. */
export function Empty({
  control,
  question,
  error,
}: {
  control: ViewControl
  question: Selection
  error: Error | null
}) {
  const { filter, search } = control.view
  const { set } = control
  const says = error
    ? error instanceof FilterError
      ? texts.badFilter(error.message)
      : error.message
    : filter && search
      ? texts.neither
      : filter
        ? texts.filter
        : search
          ? texts.search(search)
          : question.trashed
            ? texts.trash
            : texts.none
  return (
    <Stack align="center" justify="center" flex={1} p="xl" gap="sm" role={error ? 'alert' : 'status'}>
      <Text ta="center" c="dimmed" maw={420}>
        {says}
      </Text>
      <Group gap="xs">
        {filter && (
          <Button size="compact-sm" variant="light" onClick={() => set({ filter: '' })}>
            {texts.clearFilter}
          </Button>
        )}
        {search && (
          <Button size="compact-sm" variant="light" onClick={() => set({ search: '' })}>
            {texts.clearSearch}
          </Button>
        )}
      </Group>
    </Stack>
  )
}
