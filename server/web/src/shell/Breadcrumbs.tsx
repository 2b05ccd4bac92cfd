import css from './Breadcrumbs.module.css'
import { Anchor, Group, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams, useRouterState } from '@tanstack/react-router'
import type { RunPlace } from '../api/paths'
import { runQuery } from '../api/queries'
import { projectAddress } from '../lib/pageAddress'
import { strings } from '../strings'

/** Show the current project and its run or page, with links back. */
export function Breadcrumbs() {
  const { entity, project, id } = useParams({ strict: false })
  if (!entity || !project) return null
  return (
    <Group gap={6} wrap="nowrap" miw={0} component="nav" aria-label={strings.shell.crumbs}>
      <Slash />
      <Anchor
        component={Link}
        to={projectAddress(entity, project)}
        c="inherit"
        truncate
        className={css.crumb}
        title={`${entity}/${project}`}
      >
        <Text span c="dimmed" inherit visibleFrom="sm">
          {entity}/
        </Text>
        {project}
      </Anchor>
      {id ? <RunCrumb entity={entity} project={project} id={id} /> : <PageCrumb />}
    </Group>
  )
}

const Slash = () => (
  <Text c="dimmed" aria-hidden>
    /
  </Text>
)

function RunCrumb({ entity, project, id }: RunPlace) {
  const { data: run } = useQuery(runQuery(entity, project, id))
  return (
    <>
      <Slash />
      <Text truncate miw={40} className={css.page} aria-current="page">
        {run?.name ?? id}
      </Text>
    </>
  )
}

const PAGES = { compare: strings.compare.title, notes: strings.notes.title }

function PageCrumb() {
  const page = useRouterState({ select: (state) => state.location.pathname.split('/')[4] })
  if (page !== 'compare' && page !== 'notes') return null
  return (
    <>
      <Slash />
      <Text truncate miw={40} className={css.page} aria-current="page">
        {PAGES[page]}
      </Text>
    </>
  )
}
