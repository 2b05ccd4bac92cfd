import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { commonKeysQuery, type CommonKey } from '../api/queries'
import type { ShownRun } from './types'

/** Runs whose keys are asked for; further ones seldom have others. */
const ASKED = 100

/** What each row has of itself */
const RESERVED = new Set(['_step', '_timestamp', '_runtime'])

const NOTHING: CommonKey[] = []

/** What the runs have logged together: the same array until there is another set of keys. */
export function useKeys(runs: ShownRun[], kind: 'history' | 'system') {
  const paths = useMemo(() => runs.slice(0, ASKED).map((run) => run.path), [runs])
  const { data, isPending, error } = useQuery({ ...commonKeysQuery(paths, kind), placeholderData: keepPreviousData })
  const keys = useMemo(() => data?.filter(({ key }) => !RESERVED.has(key)) ?? NOTHING, [data])
  return { keys, pending: isPending, error }
}
