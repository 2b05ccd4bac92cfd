import { ActionIcon, Badge, Group, TagsInput, Text, Tooltip } from '@mantine/core'
import { IconTag } from '@tabler/icons-react'
import { useState } from 'react'
import { readable } from '../lib/format'
import { strings } from '../strings'
import { useEdit } from './useEdit'
import type { TabProps } from './props'

/** Show the tags, and let those who may edit them in place. */
export function Tags({ run, mayEdit }: TabProps & { mayEdit: boolean }) {
  const edit = useEdit(run)
  const [draft, setDraft] = useState<string[] | null>(null)
  const [text, setText] = useState('')
  // Leaving the field adds the tag typed in it.
  const leave = (tags: string[]) => {
    const last = text.trim()
    save(last && !tags.includes(last) ? [...tags, last] : tags)
  }
  const save = (tags: string[]) => {
    setDraft(null)
    setText('')
    if (tags.join('\n') !== run.tags.join('\n')) edit.mutate({ tags })
  }
  if (draft) {
    return (
      <TagsInput
        size="xs"
        value={draft}
        onChange={setDraft}
        searchValue={text}
        onSearchChange={setText}
        onBlur={() => leave(draft)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') save(run.tags)
        }}
        autoFocus
        aria-label={strings.run.tags}
        placeholder={strings.run.addTag}
        w={{ base: '100%', sm: 420 }}
      />
    )
  }
  return (
    <Group gap={4}>
      {run.tags.map((tag, i) => (
        <Badge key={i} variant="default" tt="none" fw={500} radius="sm" maw={240} title={tag}>
          {readable(tag)}
        </Badge>
      ))}
      {!run.tags.length && (
        <Text size="sm" c="dimmed">
          {strings.run.noTags}
        </Text>
      )}
      {mayEdit && (
        <Tooltip label={strings.run.editTags}>
          <ActionIcon
            variant="subtle"
            color="gray"
            size="sm"
            aria-label={strings.run.editTags}
            onClick={() => setDraft(run.tags)}
          >
            <IconTag size={14} />
          </ActionIcon>
        </Tooltip>
      )}
    </Group>
  )
}
