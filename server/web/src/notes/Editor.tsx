import css from './Editor.module.css'
import { Button, Group, SegmentedControl, Stack, Text, Textarea } from '@mantine/core'
import { useState, type ReactNode } from 'react'
import { strings } from '../strings'
import { Markdown } from './Markdown'

interface Props {
  /** Accessible name of the text field */
  label: string
  text: string
  saving: boolean
  /** Why the last save failed */
  problem?: ReactNode
  save: (text: string) => void
  cancel: () => void
  panel?: (source: string) => ReactNode
  /** More controls, which can insert text at the cursor */
  tools?: (insert: (text: string) => void) => ReactNode
  rows?: number
  saveLabel?: string
}

/** Edit Markdown. Ctrl+Enter saves; Escape cancels while nothing was changed. */
export function Editor({ label, text, saving, problem, save, cancel, panel, tools, rows = 8, saveLabel }: Props) {
  const [draft, setDraft] = useState(text)
  const [preview, setPreview] = useState(false)
  const [area, setArea] = useState<HTMLTextAreaElement | null>(null)
  const insert = (added: string) => {
    const at = area?.selectionEnd ?? draft.length
    setDraft(draft.slice(0, at) + added + draft.slice(at))
    area?.focus()
  }
  return (
    <Stack gap="xs">
      <Group justify="space-between" gap="xs">
        <SegmentedControl
          size="xs"
          data={[
            { value: 'write', label: strings.notes.write },
            { value: 'preview', label: strings.notes.preview },
          ]}
          value={preview ? 'preview' : 'write'}
          onChange={(choice) => setPreview(choice === 'preview')}
        />
        <Group gap="xs">{!preview && tools?.(insert)}</Group>
      </Group>
      {preview ? (
        <div className={`panel ${css.preview}`}>
          <Markdown text={draft} panel={panel} />
        </div>
      ) : (
        <Textarea
          ref={setArea}
          aria-label={label}
          value={draft}
          onChange={(event) => setDraft(event.currentTarget.value)}
          autosize
          minRows={rows}
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
      {problem}
      <Group justify="space-between" gap="xs">
        <Text size="xs" c="dimmed">
          {strings.notes.hint}
        </Text>
        <Group gap="xs">
          <Button variant="default" size="compact-md" onClick={cancel}>
            {strings.common.cancel}
          </Button>
          <Button size="compact-md" loading={saving} onClick={() => save(draft)}>
            {saveLabel ?? strings.common.save}
          </Button>
        </Group>
      </Group>
    </Stack>
  )
}
