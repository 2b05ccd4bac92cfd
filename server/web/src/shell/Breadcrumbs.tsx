import css from './Breadcrumbs.module.css'
import { Anchor, Group, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams, useRouterState } from '@tanstack/react-router'
import { reachesProject } from '../access/rights'
import type { RunPlace } from '../api/paths'
import { useWhoami } from '../api/whoami'
import { runQuery } from '../api/queries'
import { projectAddress, reportsAddress } from '../lib/pageAddress'
import { strings } from '../strings'

/** Show the current project and its run or page, with links back. */
export function Breadcrumbs() {
  const { entity, project, id } = useParams({ strict: false })
  const hasProject = reachesProject(useWhoami())
  if (!entity || !project) return null
  return (
    <Group gap={6} wrap="nowrap" miw={0} component="nav" aria-label={strings.shell.crumbs}>
      <Slash />
      {hasProject ? (
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
      ) : (
        <Text truncate className={css.crumb} title={`${entity}/${project}`}>
          {project}
        </Text>
      )}
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

const PAGES: Record<string, string | undefined> = {
  compare: strings.compare.title,
  reports: strings.reports.title,
  settings: strings.settings.title,
}

function PageCrumb() {
  const { entity = '', project = '', report } = useParams({ strict: false })
  const page = useRouterState({ select: (state) => state.location.pathname.split('/')[4] })
  const hasProject = reachesProject(useWhoami())
  const title = PAGES[page ?? '']
  if (title === undefined) return null
  if (report && hasProject)
    return (
      <>
        <Slash />
        <Anchor component={Link} to={reportsAddress(entity, project)} c="inherit" truncate className={css.page}>
          {title}
        </Anchor>
      </>
    )
  return (
    <>
      <Slash />
      <Text truncate miw={40} className={css.page} aria-current="page">
        {title}
      </Text>
    </>
  )
}
