import { Anchor, Button, Container, Group, Stack, Title } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconPlus } from '@tabler/icons-react'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { List, Row } from '../access/List'
import { NameDialog } from '../access/NameDialog'
import { Searched } from '../access/Searched'
import { usePages } from '../api/pages'
import { addTeam, allTeams } from '../api/people'
import { useWhoami } from '../api/whoami'
import { teamAddress } from '../lib/pageAddress'
import { NotFound } from '../shell/Failed'
import { usePageTitle } from '../shell/usePageTitle'
import { Waiting } from '../shell/Waiting'
import { strings } from '../strings'

const texts = strings.teams

/** List the own teams; for server admins, all teams. */
export function Teams() {
  usePageTitle(texts.title)
  const whoami = useWhoami()
  const navigate = useNavigate()
  const [adding, { open, close }] = useDisclosure()
  if (!whoami) return <Waiting />
  if (whoami.kind !== 'account') return <NotFound />
  return (
    <Container size="md" py="lg">
      <Stack gap="md">
        <Group justify="space-between">
          <Title order={1} size="h2">
            {texts.title}
          </Title>
          {whoami.is_admin && (
            <Button size="compact-md" leftSection={<IconPlus size={16} />} onClick={open}>
              {texts.add}
            </Button>
          )}
        </Group>
        <AllTeams />
      </Stack>
      {adding && (
        <NameDialog
          title={texts.add}
          text={texts.addText}
          label={texts.name}
          act={texts.create}
          name=""
          onSave={async (name) => {
            const made = await addTeam(name)
            await navigate({ to: teamAddress(made.name) })
          }}
          onClose={close}
        />
      )}
    </Container>
  )
}

function AllTeams() {
  const whoami = useWhoami()
  const [search, setSearch] = useState('')
  const list = usePages(allTeams, search)
  return (
    <>
      <Searched label={texts.search} total={list.total} search={search} onSearch={setSearch} />
      <List
        list={list}
        label={texts.title}
        search={search}
        empty={whoami?.is_admin ? texts.none : texts.noneMine}
        idOf={(team) => team.name}
        row={(team) => {
          const { role } = team
          return (
            <Row
              title={
                <Anchor component={Link} to={teamAddress(team.name)} fw={500}>
                  {team.name}
                </Anchor>
              }
              facts={[texts.members(team.members), role && texts.yourRole(strings.access.roles[role])]}
            />
          )
        }}
      />
    </>
  )
}
