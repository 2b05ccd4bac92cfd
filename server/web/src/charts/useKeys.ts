import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { commonKeysQuery, type CommonKey } from '../api/queries'
import type { ShownRun } from './types'

/** Most runs whose keys are requested; further runs rarely have other keys. */
const ASKED = 100

/** Keys that every row has */
const RESERVED = new Set(['_step', '_timestamp', '_runtime'])

const NOTHING: CommonKey[] = []

/** Return all keys that the runs have logged; the same array until the keys change. */
export function useKeys(runs: ShownRun[], kind: 'history' | 'system') {
  const paths = useMemo(() => runs.slice(0, ASKED).map((run) => run.path), [runs])
  const { data, isPending, error } = useQuery({ ...commonKeysQuery(paths, kind), placeholderData: keepPreviousData })
  const keys = useMemo(() => data?.filter(({ key }) => !RESERVED.has(key)) ?? NOTHING, [data])
  return { keys, pending: isPending, error }
}
