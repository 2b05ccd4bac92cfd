import css from './FirstRun.module.css'
import { Button, Container, Group, Loader, Stack, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { ROOT } from '../api/session'
import { data, GET, type ProjectInfo } from '../api/client'
import { projectAddress } from '../lib/pageAddress'
import { useWhoami } from '../api/whoami'
import { CopyButton } from '../shell/CopyButton'
import { strings } from '../strings'
import { FirstChart } from './FirstChart'

const INSTALL = 'pip install tracker-runs'
const PYTHON = `import math, random, time
import tracker

tracker.init(project="first")
for step in range(300):
    tracker.log({"loss": math.exp(-step / 60) + random.random() / 20})
    time.sleep(0.1)
`

/** Show how to log a first run, then its chart in the same place. */
export function FirstRun({ project }: { project?: ProjectInfo }) {
  return (
    <Container size="sm" py="xl">
      {project ? <Arrived project={project} /> : <Instructions />}
    </Container>
  )
}

function Instructions() {
  const whoami = useWhoami()
  const isTeam = whoami?.mode === 'team'
  const { data: answer } = useQuery({
    queryKey: ['key'],
    queryFn: () => data(GET('/api/key')),
    retry: false,
    enabled: whoami?.mode === 'personal',
  })
  const url = window.location.origin + ROOT
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(window.location.hostname)
  const shell = answer?.key
    ? `export TRACKER_BASE_URL=${url}\nexport TRACKER_API_KEY=${answer.key}`
    : `tracker login --base-url ${url}`
  return (
    <Stack gap="lg">
      <div>
        <Title order={1}>{strings.home.firstTitle}</Title>
        <Text mt={6}>{isTeam ? strings.home.firstTeamText : strings.home.firstText}</Text>
      </div>
      <Snippet name={strings.home.firstInstall} text={INSTALL} />
      <Snippet
        name={strings.home.firstServer}
        text={shell}
        before={isLocal && !isTeam ? strings.home.firstLocal : undefined}
        after={isTeam ? strings.home.firstTeam : answer?.key ? undefined : strings.home.firstRemote}
      />
      <Snippet name={strings.home.firstPython} text={PYTHON} />
      <Group gap="xs" role="status">
        <Loader size="xs" />
        <Text c="dimmed">{strings.home.waiting}</Text>
      </Group>
    </Stack>
  )
}

function Snippet({ name, text, before, after }: { name: string; text: string; before?: string; after?: string }) {
  return (
    <Stack gap={6}>
      <Title order={2} size="h5">
        {name}
      </Title>
      {before && (
        <Text size="sm" c="dimmed">
          {before}
        </Text>
      )}
      <div className={`${css.snippet} panel`}>
        <pre className="mono">{text}</pre>
        <div className={css.copy}>
          <CopyButton text={text} what={name} />
        </div>
      </div>
      {after && (
        <Text size="sm" c="dimmed">
          {after}
        </Text>
      )}
    </Stack>
  )
}

function Arrived({ project }: { project: ProjectInfo }) {
  return (
    <Stack gap="md">
      <div role="status">
        <Title order={1}>{strings.home.arrived}</Title>
        <Text mt={6}>{strings.home.arrivedText}</Text>
      </div>
      <FirstChart entity={project.entity} project={project.project} />
      <Group>
        <Button component={Link} to={projectAddress(project.entity, project.project)}>
          {strings.home.open}
        </Button>
      </Group>
    </Stack>
  )
}
