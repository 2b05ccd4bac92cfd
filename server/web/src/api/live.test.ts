import { QueryClient } from '@tanstack/react-query'
import { expect, test, vi } from 'vitest'
import { Changes, concerns } from './live'
import type { What } from './liveStream'

const changed = (run: string, ...what: What[]) => new Map([[run, new Set(what)]])

test.each([
  [['charts', { runs: ['me/p/a', 'me/p/b'] }, {}], 'me/p/b', 'history', true],
  [['charts', { runs: ['me/p/a'] }, {}], 'me/p/b', 'history', false],
  [['charts', { runs: ['me/p/a'] }, {}], 'me/p/a', 'console', false],
  [['run', 'me', 'p', 'a'], 'me/p/a', 'meta', true],
  [['run', 'me', 'p', 'a', 'keys', 'history'], 'me/p/a', 'history', true],
  [['run', 'me', 'p', 'a'], 'me/p/ab', 'meta', false],
  [['run', 'me', 'p', 'a'], 'me/p/a', 'console', false],
  [['run', 'me', 'p', 'a', 'console', '', 'total'], 'me/p/a', 'console', true],
  [['run', 'me', 'p', 'a', 'console', '', 'block', 0, 500], 'me/p/a', 'console', false],
  [['run', 'me', 'p', 'a', 'files'], 'me/p/a', 'files', true],
  [['table', 'me', 'p', {}], 'me/p/a', 'new', true],
  [['table', 'me', 'p', {}], 'me/p/a', 'system', false],
  [['columns', 'me', 'p'], 'me/pp/a', 'history', false],
  [['projects'], 'me/p/a', 'removed', true],
  [['key'], 'me/p/a', 'history', false],
] as const)('%j shows of %s what is %s: %s', (key, run, what, expected) => {
  expect(concerns(key, changed(run, what))).toBe(expected)
})

test('a change of a project refetches it, with its saved views', () => {
  const shows = (project: string) => concerns(['project', 'me', 'p'], new Map(), [project])
  expect([shows('me/p'), shows('me/pp')]).toEqual([true, false])
})

test('a kind of query is refetched at once, then only after a pause, and no change is lost meanwhile', async () => {
  const client = new QueryClient()
  const key = ['charts', { runs: ['me/p/a'] }]
  await client.fetchQuery({ queryKey: key, queryFn: () => 1 })
  const isOld = () => client.getQueryState(key)!.isInvalidated
  const changes = new Changes(client)
  const told = { runs: [{ run: 'me/p/a', what: ['history' as const] }], projects: [] }
  changes.add(told)
  changes.flush(10_000)
  expect([isOld(), changes.waiting]).toEqual([true, 0])
  await client.fetchQuery({ queryKey: key, queryFn: () => 2 })
  changes.add(told)
  changes.flush(10_500)
  expect([isOld(), changes.waiting]).toEqual([false, 1])
  changes.flush(11_000)
  expect([isOld(), changes.waiting]).toEqual([true, 0])
})

test('a change during a fetch causes another fetch', async () => {
  const client = new QueryClient()
  const key = ['run', 'me', 'p', 'a']
  let finish: (value: number) => void = () => {}
  const fetching = client.fetchQuery({ queryKey: key, queryFn: () => new Promise<number>((done) => (finish = done)) })
  await vi.waitFor(() => expect(client.getQueryState(key)!.fetchStatus).toBe('fetching'))
  const changes = new Changes(client)
  changes.addAll()
  changes.flush(10_000)
  expect(changes.waiting).toBe(1)
  finish(1)
  await fetching
  changes.flush(10_000)
  expect([client.getQueryState(key)!.isInvalidated, changes.waiting]).toEqual([true, 0])
})
