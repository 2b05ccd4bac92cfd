import { Button, Group, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMemo } from 'react'
import { strings } from '../strings'
import { destroyRuns, editRuns, restoreRuns, trashRuns, type Edit } from '../api/edits'
import type { Place } from '../api/paths'

const texts = strings.project.edit

export interface RunActions {
  edit: (ids: string[], change: Edit) => Promise<void>
  /** Moves runs to the trash, with an undo */
  trash: (ids: string[]) => Promise<void>
  restore: (ids: string[]) => Promise<void>
  /** Deletes runs permanently */
  destroy: (ids: string[]) => Promise<void>
}

/** Return actions on runs; each reports what it did, or why it failed. */
export function useActions(place: Place): RunActions {
  return useMemo(() => {
    const tried = async (work: () => Promise<unknown>, said?: string) => {
      try {
        await work()
        if (said) notifications.show({ message: said })
      } catch (error) {
        notifications.show({
          color: 'red',
          title: texts.failed,
          message: error instanceof Error ? error.message : String(error),
        })
      }
    }
    const restore = (ids: string[]) => tried(() => restoreRuns(place, ids), texts.restored(ids.length))
    return {
      restore,
      edit: (ids, change) => tried(() => editRuns(place, ids, change), texts.edited(ids.length)),
      destroy: (ids) => tried(() => destroyRuns(place, ids), texts.destroyed(ids.length)),
      trash: (ids) =>
        tried(async () => {
          await trashRuns(place, ids)
          const id = notifications.show({
            autoClose: 12_000,
            message: (
              <Group justify="space-between" wrap="nowrap">
                <Text size="sm">{texts.trashed(ids.length)}</Text>
                <Button
                  size="compact-sm"
                  variant="light"
                  onClick={() => {
                    notifications.hide(id)
                    void restore(ids)
                  }}
                >
                  {texts.undo}
                </Button>
              </Group>
            ),
          })
        }),
    }
  }, [place])
}
