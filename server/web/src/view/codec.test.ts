import { expect, test } from 'vitest'
import { decodeView, encodeView } from './codec'
import { defaultView, type View } from './view'

const changed: View = {
  ...defaultView,
  filter: 'config.lr < 1e-3 and tags has "ä&=#"',
  sort: [
    { column: 'summary.loss@min', descending: false },
    { column: 'name', descending: true },
  ],
  group: { by: ['config.model', 'config.data.name'] },
  columns: { ...defaultView.columns, pinned: ['name', 'summary.a/b'], widths: { 'summary.a/b': 120 }, differing: true },
  hidden: ['r1', 'r2'],
  baseline: 'r3',
  layout: 'charts',
  split: 0.25,
  charts: {
    ...defaultView.charts,
    smoothing: { kind: 'ema', weight: 0.9 },
    zoom: [10, 20],
    panels: [{ kind: 'line', id: 'p1', section: 'train', keys: ['loss', 'train/acc'] }],
  },
}

test('the default view leaves the address empty', () => {
  expect(encodeView(defaultView)).toEqual({})
  expect(decodeView(undefined)).toBe(defaultView)
  expect(decodeView({})).toBe(defaultView)
})

test('a view survives the address, as text and as an object', () => {
  expect(decodeView(JSON.parse(JSON.stringify(encodeView(changed))))).toEqual(changed)
  expect(decodeView(JSON.stringify(encodeView(changed)))).toEqual(changed)
})

test('only differences are written, also inside columns and charts', () => {
  expect(encodeView({ ...defaultView, charts: { ...defaultView.charts, logY: true } })).toEqual({
    charts: { logY: true },
  })
  expect(encodeView({ ...defaultView, columns: { ...defaultView.columns, differing: true } })).toEqual({
    columns: { differing: true },
  })
})

test('a default value can be removed', () => {
  const bare = { ...defaultView, sort: [], columns: { ...defaultView.columns, pinned: [], hidden: [] } }
  expect(decodeView(encodeView(bare))).toEqual(bare)
})

test('a default replaces an unknown or malformed member, and the others are kept', () => {
  const view = decodeView({
    filter: 3,
    search: 'kept',
    sort: [{ column: 'name' }, { column: 'id', descending: true, more: 1 }, 'name', null],
    group: { by: 'config.lr' },
    columns: { widths: { a: 1, b: 'x', c: 100 }, order: [1] },
    layout: 'sideways',
    split: 7,
    charts: {
      limit: 'many',
      band: 'all',
      zoom: [1, null],
      panels: [{ kind: 'line', id: 'a', section: '' }, 4],
      logX: 'yes',
    },
    tomorrow: true,
    __proto__: { baseline: 'x' },
  })
  expect(view).toEqual({
    ...defaultView,
    search: 'kept',
    sort: [{ column: 'id', descending: true }],
    columns: { ...defaultView.columns, widths: { c: 100 } },
  })
})

test.each([null, 7, 'not json', '[1]', [1], 'null', '"x"'])('%j in place of a view is the default view', (written) => {
  expect(decodeView(written)).toBe(defaultView)
})
