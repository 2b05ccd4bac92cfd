import { expect, test } from 'vitest'
import { parsePanel } from './parsePanel'

test('name: value lines and JSON give the same panel', () => {
  const lines = parsePanel(
    'key: val/loss\nfilter: config.lr < 1e-3 and tags has "base: x"\nsmoothing: 0.9\nlogY: yes\n',
  )
  expect(lines).toEqual({
    spec: {
      kind: 'line',
      keys: ['val/loss'],
      id: 'note',
      section: '',
      title: undefined,
      height: 300,
      regex: undefined,
      x: undefined,
      logX: false,
      logY: true,
    },
    filter: 'config.lr < 1e-3 and tags has "base: x"',
    ...{ runs: [], limit: 10, smoothing: { kind: 'ema', weight: 0.9 } },
  })
  const json = JSON.stringify({ keys: ['val/loss'], filter: lines.filter, smoothing: 0.9, logY: true })
  expect(parsePanel(json)).toEqual(lines)
})

test('other kinds of panels, and the choice of runs', () => {
  expect(parsePanel('x: config.lr\ny: summary.acc@max\nlimit: 200').spec).toMatchObject({
    kind: 'scatter',
    x: 'config.lr',
    y: 'summary.acc@max',
  })
  expect(parsePanel('kind: parallel\ncolumns: config.lr, summary.acc').spec).toMatchObject({
    columns: ['config.lr', 'summary.acc'],
  })
  expect(parsePanel('kind: media\nkey: samples\nruns: a1, b2')).toMatchObject({
    spec: { kind: 'media', key: 'samples' },
    runs: ['a1', 'b2'],
  })
})

test.each([
  ['', 'key is missing'],
  ['loss', 'Write “name: value” instead of “loss”'],
  ['kind: pie\nkey: loss', 'Unknown panel type “pie”'],
  ['kind: scatter\nx: a', 'y is missing'],
  ['key: loss\nlimit: many', 'limit must be a number from 1 to 1000'],
  ['{"key": ', 'Invalid JSON'],
  ['kind: parallel\ncolumns: a', 'two or more'],
])('%j: %s', (source, problem) => {
  expect(() => parsePanel(source)).toThrow(problem)
})
