import css from './fields.module.css'
import { SegmentedControl, Text, Textarea } from '@mantine/core'
import { useState } from 'react'
import { EmbeddedPanel } from '../../notes/EmbeddedPanel'
import { Markdown } from '../../notes/Markdown'
import { strings } from '../../strings'
import type { MarkdownBlock } from '../blocks'
import type { BlockProps } from './props'

const texts = strings.reportEditor

/** Write Markdown, and see what it becomes. */
export function TextEditor({ place, block, set }: BlockProps<MarkdownBlock>) {
  const [preview, setPreview] = useState(false)
  return (
    <div className={css.fields}>
      <SegmentedControl
        size="xs"
        className={css.choice}
        data={[
          { value: 'write', label: texts.write },
          { value: 'preview', label: texts.preview },
        ]}
        value={preview ? 'preview' : 'write'}
        onChange={(choice) => setPreview(choice === 'preview')}
      />
      {!preview && (
        <Textarea
          aria-label={texts.text}
          placeholder={texts.textHint}
          autosize
          minRows={3}
          maxRows={60}
          classNames={{ input: 'mono' }}
          value={block.text}
          onChange={(event) => set({ ...block, text: event.currentTarget.value })}
        />
      )}
      {preview && !block.text.trim() && <Text c="dimmed">{texts.emptyText}</Text>}
      {preview && block.text.trim() && (
        <Markdown text={block.text} under={1} panel={(source) => <EmbeddedPanel {...place} source={source} />} />
      )}
    </div>
  )
}
