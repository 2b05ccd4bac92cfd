import { expect, test } from 'vitest'
import type { PanelSpec } from '../panelSpec'
import { draftOf, specOf } from './draft'

const specs: PanelSpec[] = [
  {
    id: 'line:a',
    section: 's',
    kind: 'line',
    keys: ['a', 'b'],
    x: 'epoch',
    logY: true,
    smoothing: { kind: 'mean', weight: 10 },
    regex: '^c',
    order: 2,
    width: 2,
  },
  { id: 'b', section: 's', kind: 'bar', column: 'summary.a', title: 'T' },
  {
    id: 'c',
    section: 's',
    kind: 'scatter',
    x: 'config.a',
    y: 'summary.b',
    color: 'config.c',
    pareto: 'min-max',
    logX: true,
    height: 300,
  },
  { id: 'd', section: 's', kind: 'parallel', columns: ['config.a', 'summary.b'], color: 'summary.b' },
  { id: 'media:m', section: 's', kind: 'media', key: 'm' },
]

test.each(specs.map((spec) => [spec.kind, spec] as const))(
  'a %s panel comes out of the form as it went in',
  (_, spec) => {
    expect(specOf(draftOf(spec, [], []), spec)).toEqual(spec)
  },
)

test('an incomplete form makes no panel', () => {
  const draft = draftOf(null, [], [])
  for (const kind of ['line', 'bar', 'scatter', 'parallel', 'media'] as const)
    expect(specOf({ ...draft, kind }, null)).toBeNull()
  expect(specOf({ ...draft, regex: 'loss' }, null)).toMatchObject({ kind: 'line', regex: 'loss', section: 'Charts' })
})
