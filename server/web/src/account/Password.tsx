import { Button, Group, PasswordInput, Stack } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { Section } from '../access/Section'
import { browsersQuery } from '../api/browsers'
import { changePassword } from '../api/keys'
import { queryClient } from '../api/queries'
import { useWhoami } from '../api/whoami'
import { strings } from '../strings'

const texts = strings.accountPage
const LEAST = 12

/** Change the own password. */
export function Password() {
  const name = useWhoami()?.name ?? ''
  const [old, setOld] = useState('')
  const [fresh, setFresh] = useState('')
  const [again, setAgain] = useState('')
  const change = useMutation({
    mutationFn: () => changePassword(old, fresh),
    onSuccess: () => {
      for (const empty of [setOld, setFresh, setAgain]) empty('')
      notifications.show({ message: texts.changed })
      void queryClient.invalidateQueries({ queryKey: browsersQuery.queryKey })
    },
  })
  const short = fresh !== '' && [...fresh].length < LEAST
  const differ = again !== '' && again !== fresh
  const good = old !== '' && fresh !== '' && again === fresh && !short
  return (
    <Section title={texts.password}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (good) change.mutate()
        }}
      >
        <Stack gap="sm" maw={400}>
          {/* So that password managers know whose password this is. */}
          <input type="text" name="username" autoComplete="username" value={name} readOnly hidden />
          <PasswordInput
            label={texts.old}
            autoComplete="current-password"
            value={old}
            error={change.error?.message}
            onChange={(event) => {
              change.reset()
              setOld(event.currentTarget.value)
            }}
          />
          <PasswordInput
            label={texts.new}
            description={texts.least}
            autoComplete="new-password"
            value={fresh}
            error={short && texts.least}
            onChange={(event) => setFresh(event.currentTarget.value)}
          />
          <PasswordInput
            label={texts.again}
            autoComplete="new-password"
            value={again}
            error={differ && texts.differ}
            onChange={(event) => setAgain(event.currentTarget.value)}
          />
          <Group>
            <Button type="submit" disabled={!good} loading={change.isPending}>
              {texts.change}
            </Button>
          </Group>
        </Stack>
      </form>
    </Section>
  )
}
