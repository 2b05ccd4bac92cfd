import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router'
import { Home } from './home/Home'
import { Failed, NotFound } from './shell/Failed'
import { Shell } from './shell/Shell'

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: Failed })

const home = createRoute({ getParentRoute: () => root, path: '/', component: Home })

/** One project: the table of its runs and their charts. The view is in the search part of the address. */
export const projectRoute = createRoute({
  getParentRoute: () => root,
  path: '/projects/$entity/$project',
  component: lazyRouteComponent(() => import('./project/Project'), 'Project'),
  validateSearch: (search): Record<string, unknown> => search,
})

/** One run; `?tab=` chooses what of it is shown. */
export const runRoute = createRoute({
  getParentRoute: () => root,
  path: '/runs/$entity/$project/$id',
  component: lazyRouteComponent(() => import('./run/Run'), 'Run'),
  validateSearch: (search): Record<string, unknown> => search,
})

export const router = createRouter({ routeTree: root.addChildren([home, projectRoute, runRoute]) })

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
