import { Button, Container, Group, Stack, Title } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconPlus } from '@tabler/icons-react'
import { useState } from 'react'
import { Forbidden } from '../access/Forbidden'
import { List } from '../access/List'
import { Searched } from '../access/Searched'
import { usePages } from '../api/pages'
import { allAccounts } from '../api/people'
import { useWhoami } from '../api/whoami'
import { NotFound } from '../shell/Failed'
import { usePageTitle } from '../shell/usePageTitle'
import { Waiting } from '../shell/Waiting'
import { strings } from '../strings'
import { AccountRow } from './AccountRow'
import { NewAccount } from './NewAccount'

const texts = strings.accounts

/** All accounts, for server admins. */
export function Accounts() {
  usePageTitle(texts.title)
  const whoami = useWhoami()
  const [adding, { open, close }] = useDisclosure()
  if (!whoami) return <Waiting />
  if (whoami.kind !== 'account') return <NotFound />
  if (!whoami.is_admin) return <Forbidden />
  return (
    <Container size="md" py="lg">
      <Stack gap="md">
        <Group justify="space-between">
          <Title order={1} size="h2">
            {texts.title}
          </Title>
          <Button size="compact-md" leftSection={<IconPlus size={16} />} onClick={open}>
            {texts.add}
          </Button>
        </Group>
        <AllAccounts me={whoami.name} />
      </Stack>
      {adding && <NewAccount onClose={close} />}
    </Container>
  )
}

function AllAccounts({ me }: { me: string }) {
  const [search, setSearch] = useState('')
  const list = usePages(allAccounts, search)
  return (
    <>
      <Searched label={texts.search} total={list.total} search={search} onSearch={setSearch} />
      <List
        list={list}
        label={texts.title}
        search={search}
        empty={strings.access.none}
        idOf={(account) => account.name}
        row={(account) => <AccountRow account={account} isMe={account.name === me} />}
      />
    </>
  )
}
