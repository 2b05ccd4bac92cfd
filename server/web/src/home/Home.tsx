import css from './Home.module.css'
import runStateCss from '../shell/RunState.module.css'

import { Anchor, Container, Group, Stack, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Suspense, useState } from 'react'
import { IS_SHARED } from '../api/session'
import type { ProjectInfo } from '../api/client'
import { projectsQuery } from '../api/queries'
import { ago, count, moment } from '../lib/format'
import { projectAddress } from '../lib/pageAddress'
import { Empty } from '../shell/Empty'
import { Failed } from '../shell/Failed'
import { ErrorBoundary } from '../shell/ErrorBoundary'
import { lazyLoad } from '../shell/lazyLoad'
import { usePageTitle } from '../shell/usePageTitle'
import { Waiting } from '../shell/Waiting'
import { SearchField } from '../shell/SearchField'
import { strings } from '../strings'
import { Sparkline } from './Sparkline'

/** Loaded on demand: only the first run needs charts here. */
const FirstRun = lazyLoad(() => import('./FirstRun').then((it) => it.FirstRun))

const MANY = 8
const WHILE_EMPTY_MS = 2000

/** Where a share link leads: what it shows. */
const SharedHome = lazyLoad(() => import('../share/SharedHome').then((it) => it.SharedHome))

export const Home = () =>
  IS_SHARED ? (
    <ErrorBoundary>
      <Suspense fallback={<Waiting />}>
        <SharedHome />
      </Suspense>
    </ErrorBoundary>
  ) : (
    <AllProjects />
  )

/** List all projects, most recently active first; without any, show how to log a run. */
function AllProjects() {
  usePageTitle()
  const [begins, setBegins] = useState(false)
  const {
    data: projects,
    error,
    refetch,
  } = useQuery({
    ...projectsQuery,
    refetchInterval: (query) => (query.state.data?.length === 0 ? WHILE_EMPTY_MS : false),
  })
  // Stay on this page when the first run arrives, and show it here.
  if (projects?.length === 0 && !begins) setBegins(true)
  if (error && !projects) return <Failed error={error} reset={() => void refetch()} />
  if (!projects) return <Waiting />
  if (begins) {
    return (
      <ErrorBoundary>
        <Suspense fallback={<Waiting />}>
          <FirstRun project={projects[0]} />
        </Suspense>
      </ErrorBoundary>
    )
  }
  return <Projects projects={projects} />
}

function Projects({ projects }: { projects: ProjectInfo[] }) {
  const [text, setText] = useState('')
  const wanted = text.trim().toLowerCase()
  const shown = projects
    .filter((one) => `${one.entity}/${one.project}`.toLowerCase().includes(wanted))
    .sort((a, b) => b.updated - a.updated)
  return (
    <Container size="lg" py="lg">
      <Group justify="space-between" align="center" mb="md">
        <Group align="baseline" gap="sm">
          <Title order={1} size="h2">
            {strings.home.title}
          </Title>
          <Text c="dimmed">{count(projects.length)}</Text>
        </Group>
        {projects.length > MANY && (
          <SearchField
            label={strings.home.filter}
            value={text}
            onChange={setText}
            size="sm"
            w={{ base: '100%', sm: 260 }}
          />
        )}
      </Group>
      {shown.length ? (
        <Stack className={`panel ${css.projects}`} gap={0} component="ul">
          {shown.map((one) => (
            <Project key={`${one.entity}/${one.project}`} project={one} />
          ))}
        </Stack>
      ) : (
        <Empty title={strings.home.none(text)} />
      )}
    </Container>
  )
}

function Project({ project }: { project: ProjectInfo }) {
  const { active, activity } = project
  return (
    <li className={css.project}>
      <div>
        <Anchor
          component={Link}
          to={projectAddress(project.entity, project.project)}
          fw={600}
          truncate
          display="block"
          className={css.link}
        >
          {project.project}
        </Anchor>
        <Text size="sm" c="dimmed" truncate>
          {project.entity}
        </Text>
      </div>
      <div className={css.activity}>
        <Sparkline days={activity} />
      </div>
      <div className={css.runs}>
        <Text size="sm">{strings.common.runs(project.runs)}</Text>
        {active > 0 && (
          <Text size="sm" className={runStateCss.running}>
            <span className={css.pulse} aria-hidden /> {strings.home.active(active)}
          </Text>
        )}
      </div>
      <Text size="sm" c="dimmed" className={css.updated} title={`${strings.home.updated}: ${moment(project.updated)}`}>
        {ago(project.updated)}
      </Text>
    </li>
  )
}
