import { Anchor, Container, Radio, Stack, Text, Title } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { Forbidden } from '../access/Forbidden'
import { useRights, type Rights } from '../access/rights'
import { Section } from '../access/Section'
import { TeamMembers } from '../access/TeamMembers'
import { changeProject, type Visibility } from '../api/projectSettings'
import type { Place } from '../api/paths'
import { projectQuery } from '../api/views'
import { useWhoami } from '../api/whoami'
import { projectAddress } from '../lib/pageAddress'
import { Links } from '../share/Links'
import { Failed, NotFound } from '../shell/Failed'
import { showError } from '../shell/showError'
import { usePageTitle } from '../shell/usePageTitle'
import { Waiting } from '../shell/Waiting'
import { strings } from '../strings'
import { Copy, Delete, Move, Rename } from './Changes'

const texts = strings.settings

/** The settings of a project, for those who manage it. */
export function Settings() {
  const { entity = '', project = '' } = useParams({ strict: false })
  usePageTitle(texts.title, project)
  const whoami = useWhoami()
  const rights = useRights(entity, project)
  const { data, error, refetch } = useQuery(projectQuery({ entity, project }))
  if (error && !data) return <Failed error={error} reset={() => void refetch()} />
  if (!whoami || !data) return <Waiting />
  if (whoami.kind !== 'account') return <NotFound />
  if (!rights.has('manage_project')) return <Forbidden />
  return <Page key={`${entity}/${project}`} {...{ entity, project, rights }} visibility={data.visibility} />
}

function Page({ entity, project, rights, visibility }: Place & { rights: Rights; visibility: Visibility }) {
  const place = { entity, project }
  return (
    <Container size="sm" py="lg">
      <Stack gap={32}>
        <div>
          <Anchor component={Link} to={projectAddress(entity, project)} size="sm" className="wrap">
            {project}
          </Anchor>
          <Title order={1} size="h2">
            {texts.title}
          </Title>
        </div>
        <VisibilityChoice {...{ place, visibility }} />
        <Access entity={entity} />
        {rights.has('share') && (
          <Section title={texts.links}>
            <Links {...place} empty={texts.noLinks} />
          </Section>
        )}
        <Rename place={place} />
        <Move place={place} />
        <Copy place={place} />
        <Delete place={place} />
      </Stack>
    </Container>
  )
}

function VisibilityChoice({ place, visibility }: { place: Place; visibility: Visibility }) {
  const isMine = useWhoami()?.name === place.entity
  const change = useMutation({
    mutationFn: (next: Visibility) => changeProject(place, { visibility: next }),
    onSuccess: () => notifications.show({ message: texts.visibilityChanged }),
    onError: showError,
  })
  return (
    <Section title={texts.visibility}>
      <Radio.Group
        aria-label={texts.visibility}
        value={change.isPending ? change.variables : visibility}
        onChange={(next) => change.mutate(next as Visibility)}
      >
        <Stack gap="xs">
          <Radio
            value="private"
            label={strings.access.visibilities.private}
            description={isMine ? texts.visibilityTexts.own : texts.visibilityTexts.private(place.entity)}
          />
          <Radio
            value="internal"
            label={strings.access.visibilities.internal}
            description={texts.visibilityTexts.internal}
          />
        </Stack>
      </Radio.Group>
    </Section>
  )
}

/** Say who has access through the entity. */
function Access({ entity }: { entity: string }) {
  const whoami = useWhoami()
  const isTeam = whoami?.name !== entity
  return (
    <Section title={texts.members}>
      {isTeam ? <TeamMembers entity={entity} /> : <Text c="dimmed">{texts.onlyOwner}</Text>}
    </Section>
  )
}
