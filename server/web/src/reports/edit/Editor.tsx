import css from './Editor.module.css'
import { ActionIcon, Alert, Button, Group, Modal, Text, Textarea, Tooltip, VisuallyHidden } from '@mantine/core'
import { IconArrowBackUp, IconArrowForwardUp, IconX } from '@tabler/icons-react'
import { useBlocker, useNavigate } from '@tanstack/react-router'
import { useRef } from 'react'
import type { Place } from '../../api/paths'
import type { Report } from '../../api/reports'
import { ago } from '../../lib/format'
import { reportAddress, reportsAddress } from '../../lib/pageAddress'
import { usePageTitle } from '../../shell/usePageTitle'
import { strings } from '../../strings'
import { BlockList } from './BlockList'
import { Conflict } from './Conflict'
import { useBlocks } from './useBlocks'
import { useSaving } from './useSaving'

const texts = strings.reportEditor

interface Props {
  place: Place
  /** The newest saved version; null for a new report */
  report: Report | null
  onClose: () => void
}

/** Write a report. */
export function Editor({ place, report, onClose }: Props) {
  const navigate = useNavigate()
  const { entity, project } = place
  const moving = useRef(false)
  const saving = useSaving(place, report, (saved, done) => {
    moving.current = true
    if (done) void navigate({ to: reportAddress(saved), replace: true })
    else if (saved.id !== report?.id)
      void navigate({ to: reportAddress(saved), search: { show: 'edit' }, replace: true })
    else moving.current = false
  })
  const { document, changed, dirty, save, theirs, conflict } = saving
  const { content, change } = document
  const editing = useBlocks(place, content, change)
  usePageTitle(content.title || texts.label, project)
  const blocker = useBlocker({
    shouldBlockFn: () => {
      saving.keep()
      return dirty.current && !moving.current
    },
    enableBeforeUnload: () => dirty.current,
    withResolver: true,
  })
  const close = () => (report ? onClose() : void navigate({ to: reportsAddress(entity, project) }))
  const published = report?.state === 'published'
  const send = (state: Report['state'], done = false) => save.mutate({ state, done })
  const busy = save.isPending ? save.variables : null
  const state = !saving.isKept && changed ? texts.notKept : texts.state(!report, changed, published)
  return (
    <div className={css.page}>
      <header className={css.bar}>
        <Tool icon={<IconArrowBackUp size={17} />} label={texts.undo} onClick={document.undo} off={!document.canUndo} />
        <Tool
          icon={<IconArrowForwardUp size={17} />}
          label={texts.redo}
          onClick={document.redo}
          off={!document.canRedo}
        />
        <Text size="sm" c={changed ? undefined : 'dimmed'} className={css.state} role="status">
          {state}
        </Text>
        <Group gap="xs" wrap="nowrap" className={css.buttons}>
          {published ? (
            <Button
              size="xs"
              variant="subtle"
              color="gray"
              onClick={() => send('draft')}
              loading={busy?.state === 'draft'}
            >
              {texts.unpublish}
            </Button>
          ) : (
            <Button
              size="xs"
              variant="default"
              onClick={() => send('draft')}
              disabled={!changed && report !== null}
              loading={busy?.state === 'draft'}
            >
              {texts.save}
            </Button>
          )}
          <Button
            size="xs"
            onClick={() => send('published', true)}
            disabled={published && !changed}
            loading={busy?.state === 'published'}
          >
            {published ? texts.saveChanges : texts.publish}
          </Button>
          <Tool icon={<IconX size={17} />} label={texts.close} onClick={close} />
        </Group>
      </header>
      {saving.restored !== null && changed && (
        <Alert className={css.notice} color="gray">
          <Group justify="space-between" gap="xs">
            <Text size="sm">{texts.restored(ago(saving.restored))}</Text>
            <Button size="compact-sm" variant="default" onClick={saving.discard}>
              {texts.discard}
            </Button>
          </Group>
        </Alert>
      )}
      {saving.gone && (
        <Alert className={css.notice} color="red">
          <Group justify="space-between" gap="xs">
            <Text size="sm">{texts.gone}</Text>
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => save.mutate({ state: 'draft', done: true, asNew: true })}
            >
              {texts.saveNew}
            </Button>
          </Group>
        </Alert>
      )}
      {theirs && changed && (
        <Conflict
          {...{ base: saving.base.content, mine: content, theirs }}
          open={conflict}
          onOpen={() => saving.setConflict(true)}
          onTake={saving.rebase}
        />
      )}
      <div className={css.sheet}>
        <Textarea
          aria-label={texts.title}
          placeholder={strings.reports.untitled}
          classNames={{ input: css.title }}
          variant="unstyled"
          autosize
          maxLength={200}
          autoFocus={!content.title}
          value={content.title}
          onChange={(event) => {
            const title = event.currentTarget.value.replaceAll('\n', ' ')
            change((was) => ({ ...was, title }), 'title')
          }}
          onKeyDown={(event) => event.key === 'Enter' && event.preventDefault()}
        />
        <BlockList blocks={content.blocks} editing={editing} />
      </div>
      <VisuallyHidden aria-live="polite">{editing.said}</VisuallyHidden>
      {editing.dialog}
      <Modal
        opened={blocker.status === 'blocked'}
        onClose={() => blocker.reset?.()}
        title={texts.leaveTitle}
        closeButtonProps={{ 'aria-label': strings.common.close }}
      >
        <Text>{texts.leaveText}</Text>
        <Group justify="flex-end" gap="xs" mt="lg">
          <Button variant="default" onClick={() => blocker.proceed?.()}>
            {texts.leave}
          </Button>
          <Button onClick={() => blocker.reset?.()} data-autofocus>
            {texts.stay}
          </Button>
        </Group>
      </Modal>
    </div>
  )
}

interface ToolProps {
  icon: React.ReactNode
  label: string
  onClick: () => void
  off?: boolean
}

function Tool({ icon, label, onClick, off = false }: ToolProps) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" size={30} aria-label={label} onClick={onClick} disabled={off}>
        {icon}
      </ActionIcon>
    </Tooltip>
  )
}
