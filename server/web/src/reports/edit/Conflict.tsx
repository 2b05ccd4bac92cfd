import css from './Editor.module.css'
import { Alert, Button, Group, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMemo } from 'react'
import type { Report } from '../../api/reports'
import { strings } from '../../strings'
import type { Content } from '../blocks'
import { merged } from '../merge'
import { TextDiff } from '../TextDiff'

const texts = strings.reportEditor

interface Props {
  /** What both began with */
  base: Content
  mine: Content
  theirs: Report
  /** Whether both versions are shown */
  open: boolean
  onOpen: () => void
  /** Go on from their version with this content */
  onTake: (theirs: Report, content: Content) => void
}

/** Say that somebody else saved the report, show both versions, and let the writer choose or merge. */
export function Conflict({ base, mine, theirs, open, onOpen, onTake }: Props) {
  const result = useMemo(() => (open ? merged(base, mine, theirs) : null), [open, base, mine, theirs])
  const take = (content: Content, message: string) => {
    onTake(theirs, content)
    notifications.show({ message })
  }
  if (!result)
    return (
      <Alert className={css.notice} color="yellow">
        <Group justify="space-between" gap="xs">
          <Text size="sm">{texts.changed(theirs.editor, theirs.version)}</Text>
          <Button size="compact-sm" variant="default" onClick={onOpen}>
            {texts.review}
          </Button>
        </Group>
      </Alert>
    )
  const mergedText = result.both.length ? texts.mergedSome(result.both.length) : texts.merged
  return (
    <section className={css.conflict} role="alert" aria-label={texts.conflictTitle}>
      <Text fw={600}>{texts.conflictTitle}</Text>
      <Text size="sm">{texts.conflict(theirs.editor, theirs.version)}</Text>
      <TextDiff before={theirs} after={mine} labels={[texts.theirs(theirs.version), texts.mine]} />
      <Group gap="xs">
        <Button size="xs" onClick={() => take(result.content, mergedText)}>
          {texts.merge}
        </Button>
        <Button size="xs" variant="default" onClick={() => take(mine, texts.keptMine)}>
          {texts.useMine}
        </Button>
        <Button
          size="xs"
          variant="default"
          onClick={() => take({ title: theirs.title, blocks: theirs.blocks }, texts.tookTheirs)}
        >
          {texts.useTheirs}
        </Button>
      </Group>
    </section>
  )
}
