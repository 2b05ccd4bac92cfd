import { useQueries } from '@tanstack/react-query'
import { useMemo, useRef } from 'react'
import { keysQuery } from '../api/queries'
import type { KnownKey } from './panel/props'
import type { ShownRun } from './types'

/** Runs whose keys are asked for; further ones seldom have others. */
const ASKED = 30

/** What the runs have logged together. `pending` until the first answers are there. */
export function useKeys(runs: ShownRun[], kind: 'history' | 'system') {
  const { keys, pending, error } = useQueries({
    queries: runs.slice(0, ASKED).map((run) => keysQuery(...(run.path.split('/') as [string, string, string]), kind)),
    combine: (answers) => {
      const keys = new Map<string, KnownKey>()
      answers.forEach(({ data }, i) => {
        for (const { key, type } of data ?? []) {
          if (key.startsWith('_')) continue
          const known = keys.get(key) ?? { key, type }
          keys.set(key, known)
          if (type === 'number') known.type = type
          else if (type === 'media') (known.runs ??= []).push(runs[i]!.path)
        }
      })
      const pending = answers.some((one) => one.isPending)
      return { keys: [...keys.values()], pending, error: answers.find((one) => one.error)?.error }
    },
  })
  // Live runs answer again and again; only another set of keys is news.
  const text = JSON.stringify(keys)
  const last = useRef({ text: '', keys })
  const settled = useMemo(() => {
    if (last.current.text !== text && (!pending || !last.current.text)) last.current = { text, keys }
    return last.current.keys
  }, [text, pending])
  return { keys: settled, pending, error }
}
