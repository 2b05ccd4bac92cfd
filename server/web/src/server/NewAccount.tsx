import { Button, Checkbox, Group, Modal, Stack, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { Once } from '../access/Once'
import { addAccount } from '../api/people'
import { strings } from '../strings'

const texts = strings.accounts

/** Add an account; show its one-time link once. */
export function NewAccount({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('')
  const [email, setEmail] = useState('')
  const [admin, setAdmin] = useState(false)
  const add = useMutation({
    mutationFn: () => addAccount({ name: name.trim(), ...(email.trim() && { email: email.trim() }), admin }),
  })
  return (
    <Modal opened onClose={onClose} title={texts.add} closeButtonProps={{ 'aria-label': strings.common.close }}>
      {add.data ? (
        <OneTimeLink name={name.trim()} link={add.data.link} onClose={onClose} />
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault()
            if (name.trim()) add.mutate()
          }}
        >
          <Stack gap="md">
            <TextInput
              label={texts.name}
              value={name}
              error={add.error?.message}
              onChange={(event) => {
                add.reset()
                setName(event.currentTarget.value)
              }}
              autoComplete="off"
              data-autofocus
            />
            <TextInput
              label={texts.email}
              type="email"
              value={email}
              onChange={(event) => setEmail(event.currentTarget.value)}
              autoComplete="off"
            />
            <Checkbox
              label={texts.admin}
              description={texts.adminText}
              checked={admin}
              onChange={(event) => setAdmin(event.currentTarget.checked)}
            />
            <Group justify="flex-end" gap="xs">
              <Button variant="default" onClick={onClose}>
                {strings.common.cancel}
              </Button>
              <Button type="submit" disabled={!name.trim()} loading={add.isPending}>
                {texts.create}
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  )
}

/** Show a one-time link once. */
export function OneTimeLink({ name, link, onClose }: { name: string; link: string; onClose: () => void }) {
  return (
    <Stack gap="md">
      <Once label={texts.link} secret={link} text={texts.linkText(name)} />
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          {strings.common.close}
        </Button>
      </Group>
    </Stack>
  )
}
