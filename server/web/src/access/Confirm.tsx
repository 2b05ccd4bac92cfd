import { Button, Group, Modal, Stack, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { showError } from '../shell/showError'
import { strings } from '../strings'

interface ConfirmProps {
  title: string
  text: string
  /** The button, a verb */
  act: string
  /** Further fields; the button is inactive while `ready` is false */
  children?: ReactNode
  ready?: boolean
  color?: string
  onSure: () => Promise<unknown>
  onClose: () => void
}

/** Ask before something that has consequences. Stays open, with what was typed, if the server refuses. */
export function Confirm({ title, text, act, children, ready = true, color = 'red', onSure, onClose }: ConfirmProps) {
  const work = useMutation({ mutationFn: onSure, onSuccess: onClose, onError: showError })
  return (
    <Modal opened onClose={onClose} title={title} closeButtonProps={{ 'aria-label': strings.common.close }}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (ready) work.mutate()
        }}
      >
        <Stack gap="md">
          <Text className="wrap">{text}</Text>
          {children}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              {strings.common.cancel}
            </Button>
            <Button type="submit" color={color} disabled={!ready} loading={work.isPending} data-autofocus={!children}>
              {act}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
