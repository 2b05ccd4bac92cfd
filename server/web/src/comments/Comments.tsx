import css from './Comments.module.css'
import { ActionIcon, Button, Group, Menu, Text, Title } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { IconDots, IconPencil, IconTrash } from '@tabler/icons-react'
import { useState } from 'react'
import { Confirm } from '../access/Confirm'
import { useRights } from '../access/rights'
import { addComment, commentsOf, deleteComment, editComment, type Comment, type Subject } from '../api/comments'
import { usePages } from '../api/pages'
import { useWhoami } from '../api/whoami'
import { ago, moment } from '../lib/format'
import { Markdown } from '../notes/Markdown'
import { Failed } from '../shell/Failed'
import { showError } from '../shell/showError'
import { Waiting } from '../shell/Waiting'
import { strings } from '../strings'
import { MentionArea } from './MentionArea'

const texts = strings.comments

/** Show the comments on a run or a report, and a field for another one. */
export function Comments(subject: Subject) {
  const list = usePages(commentsOf(subject))
  const mayWrite = useRights(subject.entity, subject.project).has('edit')
  const comments = list.items ?? []
  if (list.error && !list.items) return <Failed error={list.error} reset={list.retry} />
  if (!list.items) return <Waiting height={60} />
  if (!mayWrite && !comments.length) return null
  return (
    <section className={css.comments} aria-label={texts.title}>
      <Title order={2} size="h5">
        {texts.title}
      </Title>
      {comments.length > 0 && (
        <ol className={css.list}>
          {comments.map((comment) => (
            <li key={comment.id} id={`comment-${comment.id}`}>
              <One {...{ comment, subject, mayWrite }} />
            </li>
          ))}
        </ol>
      )}
      {list.more && (
        <Button size="compact-sm" variant="default" className={css.more} onClick={list.more} loading={list.loading}>
          {texts.more}
        </Button>
      )}
      {mayWrite && <NewComment subject={subject} />}
    </section>
  )
}

function NewComment({ subject }: { subject: Subject }) {
  const [text, setText] = useState('')
  const send = useMutation({
    mutationFn: () => addComment(subject, text.trim()),
    onSuccess: () => setText(''),
    onError: showError,
  })
  const onSend = () => {
    if (text.trim() && !send.isPending) send.mutate()
  }
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault()
        onSend()
      }}
    >
      <MentionArea label={texts.write} value={text} place={subject} onChange={setText} onSend={onSend} />
      <Group justify="flex-end">
        <Button type="submit" size="xs" disabled={!text.trim()} loading={send.isPending}>
          {texts.send}
        </Button>
      </Group>
    </form>
  )
}

interface OneProps {
  comment: Comment
  subject: Subject
  mayWrite: boolean
}

function One({ comment, subject, mayWrite }: OneProps) {
  const whoami = useWhoami()
  const [editing, setEditing] = useState(false)
  const [asking, setAsking] = useState(false)
  const author = comment.author ?? texts.someone
  if (comment.deleted !== null)
    return (
      <Text size="sm" c="dimmed" className={css.one}>
        {texts.deleted} · {ago(comment.deleted)}
      </Text>
    )
  const isOwn = whoami?.kind === 'owner' || (comment.author !== null && comment.author === whoami?.name)
  return (
    <article className={`panel ${css.one}`}>
      <header className={css.head}>
        <Text size="sm" fw={600} className="wrap">
          {author}
        </Text>
        <Text size="sm" c="dimmed" title={moment(comment.created)}>
          {ago(comment.created)}
          {comment.edited !== null && ` · ${texts.edited(ago(comment.edited))}`}
        </Text>
        {mayWrite && isOwn && !editing && (
          <Menu position="bottom-end" withinPortal>
            <Menu.Target>
              <ActionIcon variant="subtle" color="gray" size="sm" aria-label={texts.menu(author)} className={css.menu}>
                <IconDots size={15} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item leftSection={<IconPencil size={15} />} onClick={() => setEditing(true)}>
                {texts.edit}
              </Menu.Item>
              <Menu.Item color="red" leftSection={<IconTrash size={15} />} onClick={() => setAsking(true)}>
                {texts.delete}
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        )}
      </header>
      {editing ? (
        <Editing {...{ comment, subject }} onDone={() => setEditing(false)} />
      ) : (
        <Markdown text={comment.text} under={3} />
      )}
      {asking && (
        <Confirm
          title={texts.deleteTitle}
          text={texts.deleteText}
          act={texts.delete}
          onSure={() => deleteComment(subject, comment.id)}
          onClose={() => setAsking(false)}
        />
      )}
    </article>
  )
}

function Editing({ comment, subject, onDone }: Omit<OneProps, 'mayWrite'> & { onDone: () => void }) {
  const [text, setText] = useState(comment.text)
  const save = useMutation({
    mutationFn: () => editComment(subject, comment.id, text.trim()),
    onSuccess: onDone,
    onError: showError,
  })
  const onSend = () => {
    if (text.trim()) save.mutate()
  }
  return (
    <div className={css.form}>
      <MentionArea
        label={texts.edit}
        value={text}
        place={subject}
        onChange={setText}
        onSend={onSend}
        onCancel={text === comment.text ? onDone : undefined}
        autoFocus
      />
      <Group justify="flex-end" gap="xs">
        <Button size="xs" variant="default" onClick={onDone}>
          {strings.common.cancel}
        </Button>
        <Button size="xs" disabled={!text.trim()} loading={save.isPending} onClick={onSend}>
          {strings.common.save}
        </Button>
      </Group>
    </div>
  )
}
