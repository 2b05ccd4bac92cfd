import { Anchor, Container, Group, Stack, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Keys } from '../access/Keys'
import { Mark } from '../access/Mark'
import { Section } from '../access/Section'
import { Usage } from '../access/Usage'
import { waysQuery } from '../api/identities'
import { useWhoami, type Role } from '../api/whoami'
import { teamAddress } from '../lib/pageAddress'
import { Browsers } from '../shell/Browsers'
import { NotFound } from '../shell/Failed'
import { usePageTitle } from '../shell/usePageTitle'
import { Waiting } from '../shell/Waiting'
import { strings } from '../strings'
import { Password } from './Password'
import { Providers } from './Providers'

const texts = strings.accountPage

/** The own account: teams, password, keys and signed-in browsers. */
export function AccountPage() {
  usePageTitle(texts.title)
  const whoami = useWhoami()
  const { data: ways } = useQuery({ ...waysQuery, enabled: whoami?.kind === 'account' })
  if (!whoami) return <Waiting />
  if (whoami.kind !== 'account') return <NotFound />
  const teams = Object.entries(whoami.roles).filter(([entity]) => entity !== whoami.name)
  return (
    <Container size="md" py="lg">
      <Stack gap={32}>
        <div>
          <Group gap="sm" align="center">
            <Title order={1} size="h2" className="wrap">
              {whoami.name}
            </Title>
            {whoami.is_admin && <Mark text={texts.server} kind="strong" />}
          </Group>
          <Usage entity={whoami.name} />
        </div>
        <Section title={texts.teams}>
          {teams.length ? <Teams teams={teams} /> : <Text c="dimmed">{texts.noTeams}</Text>}
        </Section>
        <Keys team={null} />
        {ways?.passwords && ways.has_password && <Password />}
        <Providers />
        <Section title={texts.sessions}>
          <Browsers />
        </Section>
      </Stack>
    </Container>
  )
}

function Teams({ teams }: { teams: [string, Role][] }) {
  return (
    <ul className="plain-list">
      {teams.map(([team, role]) => (
        <li key={team}>
          <Anchor component={Link} to={teamAddress(team)} className="wrap">
            {team}
          </Anchor>{' '}
          <Text span c="dimmed" size="sm">
            {strings.access.roles[role]}
          </Text>
        </li>
      ))}
    </ul>
  )
}
