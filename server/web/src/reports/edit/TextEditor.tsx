import css from './fields.module.css'
import { Button, Group, Menu, SegmentedControl, Text, Textarea } from '@mantine/core'
import { IconLink } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import type { Place } from '../../api/paths'
import { loadView, projectQuery } from '../../api/views'
import { projectAddress } from '../../lib/pageAddress'
import { EmbeddedPanel } from '../../notes/EmbeddedPanel'
import { Markdown } from '../../notes/Markdown'
import { showError } from '../../shell/showError'
import { strings } from '../../strings'
import type { MarkdownBlock } from '../blocks'
import type { BlockProps } from './props'

const texts = strings.reportEditor

/** Write Markdown, and see what it becomes. */
export function TextEditor({ place, block, set }: BlockProps<MarkdownBlock>) {
  const [preview, setPreview] = useState(false)
  const area = useRef<HTMLTextAreaElement>(null)
  const insert = (added: string) => {
    const at = area.current?.selectionEnd ?? block.text.length
    set({ ...block, text: block.text.slice(0, at) + added + block.text.slice(at) })
    area.current?.focus()
  }
  return (
    <div className={css.fields}>
      <Group justify="space-between" gap="xs">
        <SegmentedControl
          size="xs"
          data={[
            { value: 'write', label: texts.write },
            { value: 'preview', label: texts.preview },
          ]}
          value={preview ? 'preview' : 'write'}
          onChange={(choice) => setPreview(choice === 'preview')}
        />
        {!preview && <InsertView place={place} insert={insert} />}
      </Group>
      {!preview && (
        <Textarea
          ref={area}
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

/** Insert a link to a saved view as it is now. */
function InsertView({ place, insert }: { place: Place; insert: (text: string) => void }) {
  const views = useQuery(projectQuery(place)).data?.views ?? []
  const put = async (name: string) => {
    try {
      const view = await loadView(place, name)
      const address = `${projectAddress(place.entity, place.project)}?v=${encodeURIComponent(JSON.stringify(view))}`
      insert(`[${name.replace(/[[\]\\]/g, '\\$&')}](${address.replaceAll('(', '%28').replaceAll(')', '%29')})`)
    } catch (error) {
      showError(error)
    }
  }
  if (!views.length) return null
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <Button variant="default" size="compact-sm" leftSection={<IconLink size={14} />}>
          {strings.notes.insertView}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {views.map((view) => (
          <Menu.Item key={view.name} onClick={() => void put(view.name)}>
            {view.name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}
