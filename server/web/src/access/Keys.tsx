import { Button, Group, Modal, Radio, Stack, TextInput } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconPlus } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { keysOf, makeKey, revokeKey, type ApiKey, type Scope } from '../api/keys'
import { usePages } from '../api/pages'
import { ago } from '../lib/format'
import { showError } from '../shell/showError'
import { strings } from '../strings'
import { Confirm } from './Confirm'
import { ExpirySelect, expiryText } from './Expiry'
import { List, Row } from './List'
import { Once } from './Once'
import { Section } from './Section'
import { Searched } from './Searched'

const texts = strings.keys
const SCOPES: Scope[] = ['log', 'read', 'all']

/** List, make and revoke the keys of a team, or with null those of the own account. */
export function Keys({ team }: { team: string | null }) {
  const [adding, { open, close }] = useDisclosure()
  const [search, setSearch] = useState('')
  const list = usePages(keysOf(team), search)
  const [revoked, setRevoked] = useState<ApiKey | null>(null)
  return (
    <Section
      title={team === null ? texts.title : texts.service}
      text={team === null ? texts.text : texts.serviceText}
      action={
        <Button size="compact-md" leftSection={<IconPlus size={16} />} onClick={open}>
          {texts.add}
        </Button>
      }
    >
      <Searched label={texts.search} total={list.total} search={search} onSearch={setSearch} />
      <List
        list={list}
        label={team === null ? texts.title : texts.service}
        search={search}
        empty={texts.none}
        idOf={(key) => key.id}
        row={(key) => <KeyRow apiKey={key} team={team} onRevoke={() => setRevoked(key)} />}
      />
      {adding && <NewKey team={team} onClose={close} />}
      {revoked && (
        <Confirm
          title={texts.revokeOne(revoked.name)}
          text={texts.sure(revoked.name)}
          act={texts.revoke}
          onSure={() => revokeKey(team, revoked.id)}
          onClose={() => setRevoked(null)}
        />
      )}
    </Section>
  )
}

function KeyRow({ apiKey, team, onRevoke }: { apiKey: ApiKey; team: string | null; onRevoke: () => void }) {
  const { revoked } = apiKey
  return (
    <Row
      title={apiKey.name}
      facts={[
        <span key="id" className="mono">
          trk_{apiKey.id}_…
        </span>,
        texts.scopes[apiKey.scope],
        apiKey.used ? texts.used(ago(apiKey.used)) : texts.unused,
        revoked ? texts.revoked(ago(revoked)) : expiryText(apiKey.expires),
        team !== null && apiKey.creator && texts.by(apiKey.creator),
      ]}
    >
      {!revoked && (
        <Button size="compact-sm" variant="default" onClick={onRevoke} aria-label={texts.revokeOne(apiKey.name)}>
          {texts.revoke}
        </Button>
      )}
    </Row>
  )
}

const USUAL_DAYS = 90

function NewKey({ team, onClose }: { team: string | null; onClose: () => void }) {
  const [name, setName] = useState('')
  const [scope, setScope] = useState<Scope>('log')
  const [days, setDays] = useState<number | null>(USUAL_DAYS)
  const make = useMutation({ mutationFn: () => makeKey(team, name.trim(), scope, days), onError: showError })
  const good = name.trim() !== ''
  return (
    <Modal opened onClose={onClose} title={texts.made} closeButtonProps={{ 'aria-label': strings.common.close }}>
      {make.data ? (
        <Stack gap="md">
          <Once label={texts.secret} secret={make.data.key} text={texts.use} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {strings.common.close}
            </Button>
          </Group>
        </Stack>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault()
            if (good) make.mutate()
          }}
        >
          <Stack gap="md">
            <TextInput
              label={texts.name}
              placeholder={texts.namePlaceholder}
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
              maxLength={100}
              data-autofocus
            />
            <Radio.Group label={texts.scope} value={scope} onChange={(chosen) => setScope(chosen as Scope)}>
              <Stack gap="xs" mt={4}>
                {SCOPES.map((one) => (
                  <Radio
                    key={one}
                    value={one}
                    label={texts.scopes[one]}
                    description={one === 'all' ? texts.scopeMeanings.all(team !== null) : texts.scopeMeanings[one]}
                  />
                ))}
              </Stack>
            </Radio.Group>
            <ExpirySelect value={days} onChange={setDays} />
            <Group justify="flex-end" gap="xs">
              <Button variant="default" onClick={onClose}>
                {strings.common.cancel}
              </Button>
              <Button type="submit" disabled={!good} loading={make.isPending}>
                {texts.create}
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  )
}
