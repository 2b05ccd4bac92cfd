import { Button, CloseButton, ColorInput, Group, Modal, Stack, Textarea, TextInput, Tooltip } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useFocusBack } from '../lib/useFocusBack'
import { palette, type Scheme } from '../lib/palette'
import { strings } from '../strings'
import type { Edit } from '../api/edits'
import type { Place } from '../api/paths'
import { steadyTableQuery } from '../api/table'

const texts = strings.project.edit

const MEMBERS = ['name', 'group', 'job_type', 'notes', 'color']

interface EditDialogProps {
  place: Place
  ids: string[]
  /** Name of the run; null for several runs */
  name: string | null
  scheme: Scheme
  onSave: (change: Edit) => void
  onClose: () => void
}

/** Edit name, group, notes and color of runs. Untouched fields stay as they are. */
export function EditDialog({ place, ids, name, scheme, onSave, onClose }: EditDialogProps) {
  const [set, setSet] = useState<NonNullable<Edit['set']>>({})
  const put = (member: keyof typeof set) => (text: string) => setSet((now) => ({ ...now, [member]: text }))
  useFocusBack('[role="grid"] [tabindex="0"]')
  const single = ids.length === 1
  const { data } = useQuery({
    ...steadyTableQuery(place, { filter: '', search: '', sort: [], columns: MEMBERS, offset: 0, limit: 1, ids }),
    enabled: single,
  })
  const present = (member: keyof typeof set) =>
    String(set[member] ?? (single ? data?.columns[member]?.[0] : null) ?? '')
  const color = set.color ?? ''
  const badColor = color !== '' && !/^#[0-9a-f]{6}$/i.test(color)
  const good = Object.keys(set).length > 0 && set.name?.trim() !== '' && !badColor
  const own = single ? present('color') === '' : set.color === ''
  const hint = single ? undefined : texts.unchanged
  return (
    <Modal
      opened
      onClose={onClose}
      title={texts.title(ids.length)}
      closeButtonProps={{ 'aria-label': strings.common.close }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (!good) return
          onSave({ set: set.color === '' ? { ...set, color: null } : set })
          onClose()
        }}
      >
        <Stack gap="sm">
          {single && (
            <TextInput
              label={texts.name}
              value={set.name ?? name ?? ''}
              onChange={(event) => put('name')(event.currentTarget.value)}
              data-autofocus
              onFocus={(event) => event.currentTarget.select()}
            />
          )}
          <TextInput
            label={texts.group}
            placeholder={hint}
            value={present('group')}
            onChange={(event) => put('group')(event.currentTarget.value)}
          />
          <TextInput
            label={texts.jobType}
            placeholder={hint}
            value={present('job_type')}
            onChange={(event) => put('job_type')(event.currentTarget.value)}
          />
          <Textarea
            label={texts.notes}
            placeholder={hint}
            autosize
            minRows={2}
            maxRows={8}
            value={present('notes')}
            onChange={(event) => put('notes')(event.currentTarget.value)}
          />
          <ColorInput
            label={texts.color}
            placeholder={own ? texts.ownColor : (hint ?? texts.exampleColor)}
            format="hex"
            swatches={[...palette(scheme)]}
            swatchesPerRow={7}
            withEyeDropper={false}
            fixOnBlur={false} // otherwise leaving the field would empty it
            error={badColor && texts.badColor}
            value={present('color')}
            onChange={put('color')}
            rightSection={
              <Tooltip label={texts.ownColor}>
                <CloseButton size="sm" aria-label={texts.ownColor} disabled={own} onClick={() => put('color')('')} />
              </Tooltip>
            }
          />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              {texts.cancel}
            </Button>
            <Button type="submit" disabled={!good}>
              {texts.save}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
