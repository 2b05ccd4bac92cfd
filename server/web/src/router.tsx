import { createRootRoute, createRoute, createRouter, redirect } from '@tanstack/react-router'
import { Suspense, type ComponentType } from 'react'
import { ROOT } from './api/session'
import { queryClient } from './api/queries'
import { Home } from './home/Home'
import { columnsQuery } from './project/columnCatalogue'
import { Failed, NotFound } from './shell/Failed'
import { ErrorBoundary } from './shell/ErrorBoundary'
import { lazyLoad } from './shell/lazyLoad'
import { Shell } from './shell/Shell'
import { Waiting } from './shell/Waiting'

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: Failed })

/** Query parameters of an address. Each page reads those it knows and keeps the others. */
const validateSearch = (search: Record<string, unknown>): Record<string, unknown> => search

/** A page whose code loads on the first visit. */
function page(load: () => Promise<ComponentType>) {
  const Shown = lazyLoad(load)
  const Page = () => (
    <ErrorBoundary>
      <Suspense fallback={<Waiting />}>
        <Shown />
      </Suspense>
    </ErrorBoundary>
  )
  return Object.assign(Page, { preload: Shown.preload })
}

const home = createRoute({ getParentRoute: () => root, path: '/', component: Home })

/** One project: the table of its runs and their charts. The view is in the search part of the address. */
export const projectRoute = createRoute({
  getParentRoute: () => root,
  path: '/projects/$entity/$project',
  component: page(() => import('./project/Project').then((it) => it.Project)),
  loader: ({ params }) => void queryClient.prefetchQuery(columnsQuery(params)), // while the page itself is loaded
  validateSearch,
})

/** Runs of one project side by side; `?runs=` lists them, `?baseline=` is the one that the others are compared with. */
export const compareRoute = createRoute({
  getParentRoute: () => root,
  path: '/projects/$entity/$project/compare',
  component: page(() => import('./compare/Compare').then((it) => it.Compare)),
  validateSearch,
})

/** The reports of a project. */
export const reportsRoute = createRoute({
  getParentRoute: () => root,
  path: '/projects/$entity/$project/reports',
  component: page(() => import('./reports/ReportList').then((it) => it.ReportList)),
})

/** One report; `?show=` opens its editor or its versions. */
export const reportRoute = createRoute({
  getParentRoute: () => root,
  path: '/projects/$entity/$project/reports/$report',
  component: page(() => import('./reports/Report').then((it) => it.Report)),
  validateSearch,
})

/** A report by its id alone: an address that stays valid. */
export const foundReportRoute = createRoute({
  getParentRoute: () => root,
  path: '/reports/$report',
  component: page(() => import('./reports/FoundReport').then((it) => it.FoundReport)),
})

/** The former address of a project's notes, which are a report now. */
export const notesRoute = createRoute({
  getParentRoute: () => root,
  path: '/projects/$entity/$project/notes',
  beforeLoad: ({ params }) => {
    throw redirect({ to: '/projects/$entity/$project/reports', params, replace: true })
  },
  validateSearch,
})

/** The settings of a project, for those who manage it. */
const settingsRoute = createRoute({
  getParentRoute: () => root,
  path: '/projects/$entity/$project/settings',
  component: page(() => import('./settings/Settings').then((it) => it.Settings)),
})

/** The own account: keys, password, signed-in browsers. */
const accountRoute = createRoute({
  getParentRoute: () => root,
  path: '/account',
  component: page(() => import('./account/AccountPage').then((it) => it.AccountPage)),
})

/** Confirm the code that `tracker login` shows. */
const deviceLoginRoute = createRoute({
  getParentRoute: () => root,
  path: '/login/device',
  component: page(() => import('./account/DeviceLogin').then((it) => it.DeviceLogin)),
  validateSearch,
})

/** All accounts, for server admins. */
const accountsRoute = createRoute({
  getParentRoute: () => root,
  path: '/accounts',
  component: page(() => import('./server/Accounts').then((it) => it.Accounts)),
})

const teamsRoute = createRoute({
  getParentRoute: () => root,
  path: '/teams',
  component: page(() => import('./teams/Teams').then((it) => it.Teams)),
})

/** A team: its members and service keys. */
const teamRoute = createRoute({
  getParentRoute: () => root,
  path: '/teams/$team',
  component: page(() => import('./teams/Team').then((it) => it.Team)),
})

/** The audit log; `?entity=` chooses whose. */
const auditRoute = createRoute({
  getParentRoute: () => root,
  path: '/audit',
  component: page(() => import('./audit/Audit').then((it) => it.Audit)),
  validateSearch,
})

/** One run; `?tab= chooses what of it is shown. */
export const runRoute = createRoute({
  getParentRoute: () => root,
  path: '/runs/$entity/$project/$id',
  component: page(() => import('./run/Run').then((it) => it.Run)),
  validateSearch,
})

export const router = createRouter({
  basepath: ROOT || '/',
  routeTree: root.addChildren([
    ...[home, projectRoute, compareRoute, notesRoute, settingsRoute, runRoute],
    ...[reportsRoute, reportRoute, foundReportRoute],
    ...[accountRoute, deviceLoginRoute, accountsRoute, teamsRoute, teamRoute, auditRoute],
  ]),
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
