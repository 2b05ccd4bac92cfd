import css from './Editor.module.css'
import { Button, Group, SegmentedControl, Stack, Text, Textarea } from '@mantine/core'
import { useState } from 'react'
import { strings } from '../strings'
import { Markdown } from './Markdown'

interface Props {
  /** Accessible name of the text field */
  label: string
  text: string
  saving: boolean
  save: (text: string) => void
  cancel: () => void
}

/** Edit Markdown. Ctrl+Enter saves; Escape cancels while nothing was changed. */
export function Editor({ label, text, saving, save, cancel }: Props) {
  const [draft, setDraft] = useState(text)
  const [preview, setPreview] = useState(false)
  return (
    <Stack gap="xs">
      <SegmentedControl
        size="xs"
        className={css.choice}
        data={[
          { value: 'write', label: strings.notes.write },
          { value: 'preview', label: strings.notes.preview },
        ]}
        value={preview ? 'preview' : 'write'}
        onChange={(choice) => setPreview(choice === 'preview')}
      />
      {preview ? (
        <div className={`panel ${css.preview}`}>
          <Markdown text={draft} />
        </div>
      ) : (
        <Textarea
          aria-label={label}
          value={draft}
          onChange={(event) => setDraft(event.currentTarget.value)}
          autosize
          minRows={8}
          maxRows={40}
          data-autofocus
          autoFocus
          classNames={{ input: 'mono' }}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) save(draft)
            if (event.key === 'Escape' && draft === text) cancel()
          }}
        />
      )}
      <Group justify="space-between" gap="xs">
        <Text size="xs" c="dimmed">
          {strings.notes.hint}
        </Text>
        <Group gap="xs">
          <Button variant="default" size="compact-md" onClick={cancel}>
            {strings.common.cancel}
          </Button>
          <Button size="compact-md" loading={saving} onClick={() => save(draft)}>
            {strings.common.save}
          </Button>
        </Group>
      </Group>
    </Stack>
  )
}
