import css from './Run.module.css'
import pageTabsCss from '../shell/pageTabs.module.css'

import { Anchor, Tabs } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { Suspense, useEffect, useRef, type ComponentType } from 'react'
import { reachesProject } from '../access/rights'
import { ApiError } from '../api/client'
import { useWhoami } from '../api/whoami'
import { runQuery } from '../api/queries'
import { projectAddress } from '../lib/pageAddress'
import { Empty } from '../shell/Empty'
import { Failed } from '../shell/Failed'
import { ErrorBoundary } from '../shell/ErrorBoundary'
import { lazyLoad } from '../shell/lazyLoad'
import { usePageTitle } from '../shell/usePageTitle'
import { Waiting } from '../shell/Waiting'
import { strings } from '../strings'
import { Header } from './Header'
import { Overview } from './Overview'
import type { TabProps } from './props'

const TABS: Record<keyof typeof strings.run.tabs, ComponentType<TabProps>> = {
  overview: Overview,
  charts: lazyLoad(() => import('./ChartsTab').then((it) => it.History)),
  system: lazyLoad(() => import('./ChartsTab').then((it) => it.System)),
  console: lazyLoad(() => import('./console/ConsoleTab').then((it) => it.ConsoleTab)),
  files: lazyLoad(() => import('./files/FilesTab').then((it) => it.FilesTab)),
  config: lazyLoad(() => import('./ValuesTab').then((it) => it.ValuesTab)),
  code: lazyLoad(() => import('./code/CodeTab').then((it) => it.CodeTab)),
  packages: lazyLoad(() => import('./code/PackagesTab').then((it) => it.PackagesTab)),
}

type TabName = keyof typeof TABS
const NAMES = Object.keys(TABS) as TabName[]

/** The page of a run. */
export function Run() {
  const { entity = '', project = '', id = '' } = useParams({ strict: false })
  const { data: run, error, refetch } = useQuery(runQuery(entity, project, id))
  usePageTitle(run?.name ?? id, project)
  const hasProject = reachesProject(useWhoami())
  if (error && !run) {
    if (error instanceof ApiError && error.status === 404)
      return (
        <Empty title={strings.errors.noRun}>
          {hasProject && (
            <Anchor component={Link} to={projectAddress(entity, project)}>
              {strings.errors.project}
            </Anchor>
          )}
        </Empty>
      )
    return <Failed error={error} reset={() => void refetch()} />
  }
  if (!run) return <Waiting />
  return <Page key={id} run={run} />
}

function Page({ run }: TabProps) {
  const navigate = useNavigate()
  const wanted: unknown = useSearch({ strict: false }).tab
  const tab = NAMES.find((name) => name === wanted) ?? 'overview'
  const show = (name: string | null) =>
    void navigate({ to: '.', search: name === 'overview' ? {} : { tab: name }, replace: false })
  const list = useRef<HTMLDivElement>(null)
  // Scroll the current tab into view on narrow pages.
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when the tab changes, which the selector reads from the document
  useEffect(() => {
    list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest', inline: 'center' })
  }, [tab])
  return (
    <div className={css.page}>
      <ErrorBoundary>
        <Header run={run} />
      </ErrorBoundary>
      <Tabs value={tab} onChange={show} keepMounted={false} className={pageTabsCss.tabs}>
        <Tabs.List ref={list} aria-label={strings.run.views} className={pageTabsCss.list}>
          {NAMES.map((name) => (
            <Tabs.Tab key={name} value={name}>
              {strings.run.tabs[name]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {NAMES.map((name) => {
          const Shown = TABS[name]
          return (
            <Tabs.Panel key={name} value={name} className={pageTabsCss.panel}>
              <ErrorBoundary>
                <Suspense fallback={<Waiting />}>
                  <Shown run={run} />
                </Suspense>
              </ErrorBoundary>
            </Tabs.Panel>
          )
        })}
      </Tabs>
    </div>
  )
}
