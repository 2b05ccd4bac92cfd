import { Button, Code, Container, Group, Radio, Stack, Text, TextInput, Title } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useSearch } from '@tanstack/react-router'
import { useState, type ReactNode } from 'react'
import { answerDevice, waitingDevice, type DeviceScope, type WaitingDevice } from '../api/deviceLogin'
import { useWhoami } from '../api/whoami'
import { NotFound } from '../shell/Failed'
import { showError } from '../shell/showError'
import { usePageTitle } from '../shell/usePageTitle'
import { Waiting } from '../shell/Waiting'
import { strings } from '../strings'

const texts = strings.deviceLogin
const SCOPES: DeviceScope[] = ['all', 'log']

/** Confirm the code that `tracker login` shows; `?code=` fills it in. */
export function DeviceLogin() {
  usePageTitle(texts.title)
  const whoami = useWhoami()
  const search: { code?: unknown } = useSearch({ strict: false })
  const [code, setCode] = useState(typeof search.code === 'string' ? search.code : '')
  const found = useQuery({ ...waitingDevice(code), enabled: code !== '' })
  if (!whoami) return <Waiting />
  if (whoami.kind !== 'account') return <NotFound />
  return (
    <Container size="xs" py="lg">
      <Stack gap="md">
        <Title order={1} size="h2">
          {texts.title}
        </Title>
        {found.data ? (
          <Question program={found.data} account={whoami.name} />
        ) : (
          <CodeForm
            key={code}
            code={code}
            problem={found.error?.message}
            isLoading={found.isFetching}
            onCode={(typed) => (typed === code ? void found.refetch() : setCode(typed))}
          />
        )}
      </Stack>
    </Container>
  )
}

interface CodeFormProps {
  code: string
  problem: string | undefined
  isLoading: boolean
  onCode: (code: string) => void
}

function CodeForm({ code, problem, isLoading, onCode }: CodeFormProps) {
  const [typed, setTyped] = useState(code)
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (typed.trim()) onCode(typed.trim())
      }}
    >
      <Stack gap="md">
        <TextInput
          label={texts.code}
          description={texts.where}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          error={problem}
          maxLength={40}
          autoComplete="off"
          autoCapitalize="characters"
          data-autofocus
        />
        <Group justify="flex-end">
          <Button type="submit" disabled={!typed.trim()} loading={isLoading}>
            {texts.next}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

function Question({ program, account }: { program: WaitingDevice; account: string }) {
  const [scope, setScope] = useState<DeviceScope>('all')
  const answer = useMutation({
    mutationFn: (allowed: DeviceScope | null) => answerDevice(program.code, allowed),
    onError: showError,
  })
  if (answer.isSuccess) return <Done>{answer.variables === null ? texts.refused : texts.confirmed}</Done>
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        answer.mutate(scope)
      }}
    >
      <Stack gap="md">
        <Text className="wrap">{texts.asks(program.name, program.address, account)}</Text>
        <Text>
          {texts.same} <Code>{program.code}</Code>
        </Text>
        <Text c="dimmed">{texts.warning}</Text>
        <Radio.Group label={texts.scope} value={scope} onChange={(chosen) => setScope(chosen as DeviceScope)}>
          <Stack gap="xs" mt={4}>
            {SCOPES.map((one) => (
              <Radio key={one} value={one} label={texts.scopes[one]} description={texts.scopeMeanings[one]} />
            ))}
          </Stack>
        </Radio.Group>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={() => answer.mutate(null)}>
            {texts.refuse}
          </Button>
          <Button type="submit" loading={answer.isPending}>
            {texts.confirm}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

function Done({ children }: { children: ReactNode }) {
  return <Text role="status">{children}</Text>
}
