import { expect, test } from 'vitest'
import { batching } from './chartBatch'
import type { ChartQuery, Series } from './charts'

function server() {
  const asked: ChartQuery[] = []
  let aborted = 0
  const fetch = (query: ChartQuery, signal: AbortSignal) => {
    asked.push(query)
    signal.addEventListener('abort', () => aborted++)
    if (signal.aborted) return Promise.reject(signal.reason)
    if (query.keys.includes('bad')) return Promise.reject(new Error('bad'))
    return Promise.resolve({ series: query.keys.map((key) => ({ key }) as Series) })
  }
  return { ask: batching(fetch), asked, aborted: () => aborted }
}

test('queries for the same runs become one request, and each gets its own keys', async () => {
  const { ask, asked } = server()
  const runs = ['e/p/a']
  const answers = await Promise.all([
    ask({ runs, keys: ['x', 'y'] }),
    ask({ runs, keys: ['y'] }),
    ask({ runs, keys: ['z'], buckets: 9 }),
  ])
  expect(answers.map((series) => series.map((one) => one.key))).toEqual([['x', 'y'], ['y'], ['z']])
  expect(asked).toEqual([
    { runs, keys: ['x', 'y'] },
    { runs, keys: ['z'], buckets: 9 },
  ])
  await ask({ runs, keys: ['x'] })
  expect(asked).toHaveLength(3)
})

test('no request has more than the limit of series', async () => {
  const { ask, asked } = server()
  const runs = Array.from({ length: 50 }, (_, i) => `e/p/${i}`)
  await Promise.all(['a', 'b', 'c', 'd', 'e'].map((key) => ask({ runs, keys: [key] })))
  expect(asked.map((query) => query.keys)).toEqual([['a', 'b'], ['c', 'd'], ['e']])
})

test('an error reaches all callers; a request is aborted when the last caller has left', async () => {
  const { ask, asked, aborted } = server()
  const runs = ['e/p/a']
  const failed = await Promise.allSettled([ask({ runs, keys: ['bad'] }), ask({ runs, keys: ['x'] })])
  expect(failed.map((one) => one.status)).toEqual(['rejected', 'rejected'])
  const [first, second] = [new AbortController(), new AbortController()]
  const answers = [ask({ runs, keys: ['x'] }, first.signal), ask({ runs, keys: ['y'] }, second.signal)]
  first.abort()
  expect((await answers[1]!).map((one) => one.key)).toEqual(['y'])
  expect(asked.at(-1)!.keys).toEqual(['x', 'y'])
  const alone = ask({ runs, keys: ['x'] }, second.signal)
  second.abort()
  await expect(alone).rejects.toThrow()
  expect(aborted()).toBe(0)
})
