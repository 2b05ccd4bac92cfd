import { expect, test } from 'vitest'
import type { CommonKey } from '../api/queries'
import { kept, matching, moved, sectionsOf, without } from './panels'
import type { PanelSpec } from './panelSpec'

const keys: CommonKey[] = ['train/loss', 'val/loss', 'lr', 'train/acc', 'train/layer/10', 'train/layer/9'].map(
  (key) => ({ key, type: 'number' }),
)
const media: CommonKey = { key: 'val/samples', type: 'media' }
const nothing = { panels: [], removed: [] }
const names = (view: Parameters<typeof sectionsOf>[1], of = keys) =>
  sectionsOf(of, view).map(({ name, panels }) => [name, ...panels.map((panel) => panel.id)])

test('each prefix has a section, keys without one come first, numbers sort naturally', () => {
  expect(names(nothing)).toEqual([
    ['Charts', 'line:lr'],
    ['train', 'line:train/acc', 'line:train/layer/9', 'line:train/layer/10', 'line:train/loss'],
    ['val', 'line:val/loss'],
  ])
})

test('media have a panel, other values have none', () => {
  expect(names(nothing, [media, { key: 'note', type: 'other' }])).toEqual([['val', 'media:val/samples']])
})

test('an edited panel keeps its place, a removed one is gone, a new one comes first', () => {
  const wide: PanelSpec = {
    id: 'line:train/layer/9',
    kind: 'line',
    section: 'train',
    keys: ['train/layer/9'],
    width: 2,
  }
  const own: PanelSpec = { id: 'x1', kind: 'line', section: 'train', keys: ['train/loss', 'val/loss'] }
  const view = { panels: [wide, own], removed: ['line:train/acc'] }
  expect(names(view)[1]).toEqual(['train', 'x1', 'line:train/layer/9', 'line:train/layer/10', 'line:train/loss'])
  expect(sectionsOf(keys, view)[1]!.panels[1]).toMatchObject({ width: 2 })
})

test('a panel moves to each place of its section and stays there', () => {
  for (let to = 0; to < 4; to++) {
    const { panels } = sectionsOf(keys, nothing)[1]!
    const view = { panels: kept([], moved(panels, 'line:train/loss', to)!), removed: [] }
    expect(names(view)[1]!.indexOf('line:train/loss') - 1).toBe(to)
  }
})

test('removed automatic panels are remembered', () => {
  expect(without(nothing, 'line:lr').removed).toEqual(['line:lr'])
  const own: PanelSpec = { id: 'x1', kind: 'bar', section: 'Charts', column: 'summary.loss' }
  expect(without({ panels: [own], removed: [] }, 'x1')).toEqual(nothing)
})

test('the search matches titles by regular expression', () => {
  const all = sectionsOf(keys, nothing)
  expect(matching(all, 'LOSS$')!.map(({ name }) => name)).toEqual(['train', 'val'])
  expect(matching(all, '(')).toBeNull()
})

test('a key that is the x of others has no panel', () => {
  const keys: CommonKey[] = [
    { key: 'val/loss', type: 'number', x: 'epoch' },
    { key: 'epoch', type: 'number' },
  ]
  const ids = (panels: PanelSpec[]) =>
    sectionsOf(keys, { panels, removed: [] }).flatMap((section) => section.panels.map((panel) => panel.id))
  expect(ids([])).toEqual(['line:val/loss'])
  expect(ids([{ id: 'line:epoch', kind: 'line', section: 'Charts', keys: ['epoch'] }])).toEqual([
    'line:epoch',
    'line:val/loss',
  ])
})
