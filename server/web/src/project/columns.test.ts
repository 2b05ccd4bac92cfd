import { expect, test } from 'vitest'
import { defaultView } from '../view/view'
import type { ColumnInfo } from '../api/table'
import { labelOf, layoutOf, moved, shortOrder, usualOrder, withChoice } from './columns'

const info = (name: string, differs = true): ColumnInfo => {
  const kind = name.startsWith('config.') ? 'config' : name.startsWith('summary.') ? 'summary' : 'run'
  return { name, kind, type: 'number', count: 3, distinct: 2, differs }
}
const catalogue = ['id', 'name', 'state', 'config.lr', 'config.seed', 'summary.acc', 'summary.a/b.c'].map((name) =>
  info(name, name !== 'config.seed'),
)
const usual = usualOrder(catalogue)
const view = defaultView.columns

test('config that differs comes before metrics, common config comes last', () => {
  expect(usual).toEqual(['name', 'config.lr', 'summary.acc', 'summary.a/b.c', 'state', 'id', 'config.seed'])
})

test('a layout follows the view, without columns that no run has', () => {
  const layout = layoutOf(
    { ...view, order: ['gone', 'config.lr', 'summary.acc@min', 'summary.gone@max'], pinned: ['name', 'gone'] },
    catalogue,
  )
  expect(layout.order.slice(0, 4)).toEqual(['config.lr', 'summary.acc@min', 'name', 'summary.acc'])
  expect(layout.visible.has('id')).toBe(false)
  expect(layout.visible.has('summary.acc@min')).toBe(true)
  expect(layout.pinned).toEqual(['name'])
  expect(layoutOf({ ...view, differing: true }, catalogue).visible.has('config.seed')).toBe(false)
})

test('the saved order is as short as possible and restores the wanted order', () => {
  expect(shortOrder(usual, usual)).toEqual([])
  for (const [name, before] of [
    ['config.lr', 'name'],
    ['name', null],
    ['summary.acc', 'config.lr'],
    ['config.seed', 'state'],
    ['state', 'config.lr'],
  ] as const) {
    const wanted = moved(usual, name, before)
    const order = shortOrder(wanted, usual)
    expect(layoutOf({ ...view, order }, catalogue).order).toEqual(wanted)
  }
  expect(shortOrder(moved(usual, 'state', 'name'), usual)).toEqual(['state'])
})

test('another value of a metric replaces its column, and can be replaced back', () => {
  const changed = { ...view, ...withChoice(view, layoutOf(view, catalogue), usual, 'summary.acc', 'min') }
  const layout = layoutOf(changed, catalogue)
  const shown = layout.order.filter((name) => layout.visible.has(name))
  expect(shown).toEqual(['name', 'config.lr', 'summary.acc@min', 'summary.a/b.c', 'state', 'config.seed'])
  const again = { ...changed, ...withChoice(changed, layout, usual, 'summary.acc@min', 'step=10') }
  expect(layoutOf(again, catalogue).order).toContain('summary.acc@step=10')
  expect(layoutOf(again, catalogue).order).not.toContain('summary.acc@min')
  const back = { ...again, ...withChoice(again, layoutOf(again, catalogue), usual, 'summary.acc@step=10', null) }
  expect(layoutOf(back, catalogue)).toEqual(layoutOf(view, catalogue))
  expect(back.order).toEqual([])
})

test('labels show the source of a value', () => {
  const of = (name: string, base: string, choice: string | null) => labelOf({ base, choice, kind: info(name).kind })
  expect(of('job_type', 'job_type', null)).toEqual({ label: 'job type', from: '' })
  expect(of('config.a.b', 'config.a.b', null)).toEqual({ label: 'a.b', from: 'config' })
  expect(of('summary.loss@step=10', 'summary.loss', 'step=10')).toEqual({ label: 'loss', from: 'step 10' })
})
