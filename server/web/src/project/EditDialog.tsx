import { Button, ColorInput, Group, Modal, Stack, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import { palette, type Scheme } from '../lib/palette'
import { strings } from '../strings'
import type { Edit } from './api'

const texts = strings.project.edit

interface EditDialogProps {
  ids: string[]
  /** Of the one run, where it is one */
  name: string | null
  scheme: Scheme
  onSave: (change: Edit) => void
  onClose: () => void
}

/** Changes what people say about runs. Only what is typed is changed. */
export function EditDialog({ ids, name, scheme, onSave, onClose }: EditDialogProps) {
  const [set, setSet] = useState<NonNullable<Edit['set']>>({})
  const put = (member: keyof typeof set) => (text: string) => setSet((now) => ({ ...now, [member]: text }))
  const color = set.color ?? ''
  const good = Object.keys(set).length > 0 && set.name?.trim() !== '' && (!color || /^#[0-9a-f]{6}$/i.test(color))
  const hint = ids.length > 1 ? texts.unchanged : undefined
  return (
    <Modal opened onClose={onClose} title={texts.title(ids.length)} returnFocus>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (!good) return
          onSave({ set })
          onClose()
        }}
      >
        <Stack gap="sm">
          {ids.length === 1 && (
            <TextInput label={texts.name} value={set.name ?? name ?? ''} onChange={(event) => put('name')(event.currentTarget.value)} data-autofocus onFocus={(event) => event.currentTarget.select()} />
          )}
          <TextInput label={texts.group} placeholder={hint} value={set.group ?? ''} onChange={(event) => put('group')(event.currentTarget.value)} />
          <TextInput label={texts.jobType} placeholder={hint} value={set.job_type ?? ''} onChange={(event) => put('job_type')(event.currentTarget.value)} />
          <Textarea label={texts.notes} placeholder={hint} autosize minRows={2} maxRows={8} value={set.notes ?? ''} onChange={(event) => put('notes')(event.currentTarget.value)} />
          <ColorInput label={texts.color} placeholder={hint ?? '#2a8efe'} format="hex" swatches={[...palette(scheme)]} swatchesPerRow={7} value={color} onChange={put('color')} />
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
