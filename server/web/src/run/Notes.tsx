import factsCss from './Facts.module.css'
import css from './Notes.module.css'
import { ActionIcon, Group, Text, Title, Tooltip, UnstyledButton } from '@mantine/core'
import { IconPencil } from '@tabler/icons-react'
import { useState } from 'react'
import { useRights } from '../access/rights'
import { Editor } from '../notes/Editor'
import { Markdown } from '../notes/Markdown'
import { strings } from '../strings'
import { useEdit } from './useEdit'
import type { TabProps } from './props'

/** Show the run's notes, and edit them in place. */
export function Notes({ run }: TabProps) {
  const edit = useEdit(run)
  const [editing, setEditing] = useState(false)
  const mayEdit = useRights(run.entity, run.project).has('edit')
  const save = (notes: string) => {
    setEditing(false)
    if (notes !== (run.notes ?? '')) edit.mutate({ notes })
  }
  if (!mayEdit && !editing && !run.notes) return null
  return (
    <section className={`panel ${factsCss.facts}`}>
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h5">
          {strings.run.notes}
        </Title>
        {mayEdit && !editing && run.notes && (
          <Tooltip label={strings.run.editNotes}>
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={strings.run.editNotes}
              onClick={() => setEditing(true)}
            >
              <IconPencil size={16} />
            </ActionIcon>
          </Tooltip>
        )}
      </Group>
      {editing ? (
        <Editor
          label={strings.run.notes}
          text={run.notes ?? ''}
          saving={edit.isPending}
          save={save}
          cancel={() => setEditing(false)}
        />
      ) : run.notes ? (
        <Markdown text={run.notes} />
      ) : (
        <UnstyledButton className={css.write} onClick={() => setEditing(true)} aria-label={strings.run.writeNotes}>
          <Text c="dimmed" size="sm">
            {strings.run.noNotes}
          </Text>
        </UnstyledButton>
      )}
    </section>
  )
}
