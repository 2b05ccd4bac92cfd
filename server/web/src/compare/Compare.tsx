import css from './Compare.module.css'
import pageTabsCss from '../shell/pageTabs.module.css'

import { Tabs, Title } from '@mantine/core'
import { useQueries } from '@tanstack/react-query'
import { useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { Suspense, type ComponentType } from 'react'
import { runQuery } from '../api/queries'
import { Empty } from '../shell/Empty'
import { Failed } from '../shell/Failed'
import { ErrorBoundary } from '../shell/ErrorBoundary'
import { lazyLoad } from '../shell/lazyLoad'
import { usePageTitle } from '../shell/usePageTitle'
import { Waiting } from '../shell/Waiting'
import { strings } from '../strings'
import { AddRun } from './AddRun'
import type { CompareProps } from './props'
import { ValuesTab } from './ValuesTab'

const TABS: Record<keyof typeof strings.compare.tabs, ComponentType<CompareProps>> = {
  values: ValuesTab,
  charts: lazyLoad(() => import('./ChartsTab').then((it) => it.ChartsTab)),
  code: lazyLoad(() => import('./CodeTab').then((it) => it.CodeTab)),
  packages: lazyLoad(() => import('./PackagesTab').then((it) => it.PackagesTab)),
}

type TabName = keyof typeof TABS
const NAMES = Object.keys(TABS) as TabName[]
const MOST = 50

interface Search {
  runs?: unknown
  baseline?: unknown
  tab?: unknown
}

/** Run ids as `a,b`; the router parses ids that look like numbers as numbers */
const idsOf = (written: unknown) =>
  [
    ...new Set(
      String(written ?? '')
        .split(',')
        .filter(Boolean),
    ),
  ].slice(0, MOST)

/** Compare runs of a project side by side. */
export function Compare() {
  const { entity = '', project = '' } = useParams({ strict: false })
  usePageTitle(strings.compare.title, project)
  const search: Search = useSearch({ strict: false })
  const navigate = useNavigate()
  const change = (members: Search) =>
    void navigate({ to: '.', search: ((before: Search) => ({ ...before, ...members })) as never })
  const ids = idsOf(search.runs)
  const answers = useQueries({ queries: ids.map((id) => runQuery(entity, project, id)) })
  const runs = answers.flatMap((one) => (one.data ? [one.data] : []))
  const failed = answers.findIndex((one) => one.error && !one.data)
  const tab = NAMES.find((name) => name === search.tab) ?? 'values'
  const wanted = String(search.baseline ?? '')
  const baseline = runs.some((run) => run.id === wanted) ? wanted : (runs[0]?.id ?? '')
  const setRuns = (next: string[]) => change({ runs: next.join(',') || undefined })
  const Shown = TABS[tab]
  return (
    <div className={css.compare}>
      <header className={css.head}>
        <Title order={1} size="h3">
          {strings.compare.title}
        </Title>
        <AddRun entity={entity} project={project} chosen={ids} add={(id) => setRuns([...ids, id])} />
      </header>
      {failed >= 0 && (
        <Failed error={answers[failed]!.error} reset={() => setRuns(ids.filter((_, i) => i !== failed))} />
      )}
      <Tabs
        value={tab}
        onChange={(name) => change({ tab: name === 'values' ? undefined : name })}
        className={pageTabsCss.tabs}
      >
        <Tabs.List aria-label={strings.compare.parts} className={pageTabsCss.list}>
          {NAMES.map((name) => (
            <Tabs.Tab key={name} value={name}>
              {strings.compare.tabs[name]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value={tab} className={pageTabsCss.panel}>
          {!ids.length && <Empty title={strings.compare.none}>{strings.compare.noneText}</Empty>}
          {ids.length > 0 && !runs.length && failed < 0 && <Waiting />}
          {runs.length > 0 && (
            <ErrorBoundary key={tab}>
              <Suspense fallback={<Waiting />}>
                <Shown
                  {...{ runs, baseline }}
                  setBaseline={(id) => change({ baseline: id })}
                  remove={(id) => setRuns(ids.filter((one) => one !== id))}
                />
              </Suspense>
            </ErrorBoundary>
          )}
        </Tabs.Panel>
      </Tabs>
    </div>
  )
}
