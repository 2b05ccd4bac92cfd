import css from './Header.module.css'
import { ActionIcon, Badge, Button, Group, Menu, Modal, Text, TextInput, Title, Tooltip } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { notifications } from '@mantine/notifications'
import { IconArrowsDiff, IconDots, IconPencil, IconPlayerStop, IconTrash } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { RunInfo } from '../api/client'
import { ago, duration } from '../lib/format'
import { editRuns, restoreRuns, trashRuns } from '../api/edits'
import { projectAddress } from '../lib/pageAddress'
import { reachesProject, useMayDelete, useRights } from '../access/rights'
import { useWhoami } from '../api/whoami'
import { ShareButton } from '../share/ShareButton'
import { RunState } from '../shell/RunState'
import { strings } from '../strings'
import { showError } from '../shell/showError'
import { useEdit } from './useEdit'
import { ColorPicker } from './ColorPicker'
import type { TabProps } from './props'
import { Tags } from './Tags'
import { useNow } from './useNow'

/** Show name, state and actions of the run. */
export function Header({ run }: TabProps) {
  const rights = useRights(run.entity, run.project)
  const mayEdit = rights.has('edit')
  const team = useWhoami()?.mode === 'team'
  return (
    <header className={css.head}>
      <Group justify="space-between" wrap="nowrap" gap="sm" align="flex-start">
        <Group gap="xs" wrap="nowrap" miw={0}>
          <ColorPicker run={run} mayEdit={mayEdit} />
          <Name run={run} mayEdit={mayEdit} />
        </Group>
        <Group gap="xs" wrap="nowrap">
          {rights.has('log') && <Stop run={run} />}
          {team && rights.has('share') && (
            <ShareButton entity={run.entity} project={run.project} kind="run" target={run.id} name={run.name} />
          )}
          <Actions run={run} />
        </Group>
      </Group>
      <Group className={css.about}>
        <RunState state={run.state} />
        <Times run={run} />
        {run.stop_requested && run.state === 'running' && (
          <Badge color="orange" variant="light" tt="none">
            {strings.run.stopAsked(ago(run.stop_requested))}
          </Badge>
        )}
        <Tags run={run} mayEdit={mayEdit} />
      </Group>
    </header>
  )
}

function Times({ run }: TabProps) {
  const running = run.state === 'running'
  const now = useNow(running)
  const seconds = (running ? now : run.updated) - run.created
  return (
    <Text size="sm" c="dimmed">
      {duration(seconds)} · {strings.run.created.toLowerCase()} {ago(run.created)}
    </Text>
  )
}

function Name({ run, mayEdit }: TabProps & { mayEdit: boolean }) {
  const edit = useEdit(run)
  const [draft, setDraft] = useState<string | null>(null)
  const save = () => {
    const name = draft?.trim()
    setDraft(null)
    if (name && name !== run.name) edit.mutate({ name })
  }
  if (draft !== null) {
    return (
      <TextInput
        value={draft}
        onChange={(event) => setDraft(event.currentTarget.value)}
        onBlur={save}
        onKeyDown={(event) => {
          if (event.key === 'Enter') save()
          if (event.key === 'Escape') setDraft(null)
        }}
        autoFocus
        aria-label={strings.run.name}
        w={{ base: 200, sm: 420 }}
      />
    )
  }
  return (
    <>
      <Title order={1} size="h3" className={css.name} title={run.name}>
        {run.name}
      </Title>
      {mayEdit && (
        <Tooltip label={strings.run.rename}>
          <ActionIcon variant="subtle" color="gray" aria-label={strings.run.rename} onClick={() => setDraft(run.name)}>
            <IconPencil size={16} />
          </ActionIcon>
        </Tooltip>
      )}
    </>
  )
}

function Stop({ run }: TabProps) {
  const [asking, { open, close }] = useDisclosure()
  const stop = useMutation({
    mutationFn: () => editRuns(run, [run.id], { stop: true }),
    onSuccess: () => notifications.show({ message: strings.run.stopDone }),
    onError: showError,
    onSettled: close,
  })
  if (run.state !== 'running' || !run.allow_stop || run.stop_requested) return null
  return (
    <>
      <Button size="xs" variant="default" leftSection={<IconPlayerStop size={15} />} onClick={open}>
        {strings.run.stop}
      </Button>
      <Modal
        opened={asking}
        onClose={close}
        title={strings.run.stopTitle}
        closeButtonProps={{ 'aria-label': strings.common.close }}
      >
        <Text>{strings.run.stopText}</Text>
        <Group justify="flex-end" mt="lg">
          <Button variant="default" onClick={close}>
            {strings.common.cancel}
          </Button>
          <Button color="red" loading={stop.isPending} onClick={() => stop.mutate()} data-autofocus>
            {strings.run.stop}
          </Button>
        </Group>
      </Modal>
    </>
  )
}

function Actions({ run }: TabProps) {
  const navigate = useNavigate()
  const rights = useRights(run.entity, run.project)
  const mayDelete = useMayDelete(run, rights, [run.id])
  const mayCompare = reachesProject(useWhoami())
  const trash = useMutation({
    mutationFn: () => trashRuns(run, [run.id]),
    onError: showError,
    onSuccess: async () => {
      await navigate({ to: projectAddress(run.entity, run.project) })
      offerUndo(run)
    },
  })
  if (!mayDelete && !mayCompare) return null
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon variant="default" size={30} aria-label={strings.run.more}>
          <IconDots size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {mayCompare && (
          <Menu.Item
            leftSection={<IconArrowsDiff size={16} />}
            component={Link}
            to={`${projectAddress(run.entity, run.project)}/compare?runs=${run.id}`}
          >
            {strings.run.compare}
          </Menu.Item>
        )}
        {mayDelete && (
          <Menu.Item color="red" leftSection={<IconTrash size={16} />} onClick={() => trash.mutate()}>
            {strings.run.delete}
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  )
}

const UNDO_MS = 15_000

/** Offer to undo a deletion for a while; after that the run is in the trash. */
function offerUndo(run: RunInfo) {
  const undo = async () => {
    notifications.hide(id)
    try {
      await restoreRuns(run, [run.id])
      notifications.show({ message: strings.run.restored(run.name) })
    } catch (error) {
      showError(error)
    }
  }
  const id = notifications.show({
    autoClose: UNDO_MS,
    message: (
      <Group justify="space-between" wrap="nowrap">
        <Text size="sm" className="wrap">
          {strings.run.deleted(run.name)}
        </Text>
        <Button size="compact-sm" variant="default" onClick={() => void undo()}>
          {strings.common.undo}
        </Button>
      </Group>
    ),
  })
}
