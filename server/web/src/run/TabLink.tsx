import { Link, useRouterState, type LinkProps } from '@tanstack/react-router'
import type { ComponentProps } from 'react'

/** A link to another tab of the current run. */
export function TabLink({ tab, ...rest }: { tab: string } & Omit<ComponentProps<'a'>, 'ref'>) {
  const to = useRouterState({ select: (state) => state.location.pathname })
  const place = { to, search: { tab } } as unknown as LinkProps
  return <Link {...rest} {...place} />
}
