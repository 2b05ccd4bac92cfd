import type { Place } from '../api/paths'
import { fetchTable } from '../api/table'
import { ALL, hiddenBy } from '../project/visibility'
import { defaultCharts, type ChartsView, type View } from '../view/view'
import type { PanelBlock, PanelView, RunChoice } from './blocks'

/** What a panel block takes from a view */
export type PanelChoice = Pick<PanelBlock, 'runs' | 'filter' | 'limit' | 'view'>

/** Settings that concern one panel; the others arrange panels on a page */
const KEPT = ['x', 'logX', 'logY', 'smoothing', 'clip', 'envelope', 'band', 'zoom'] as const

/** Return the settings of charts that differ from the default and concern one panel. */
export function panelView(charts: ChartsView): PanelView {
  const differing = KEPT.filter((name) => JSON.stringify(charts[name]) !== JSON.stringify(defaultCharts[name]))
  return Object.fromEntries(differing.map((name) => [name, charts[name]]))
}

/** The most runs that a block names one by one */
export const MOST_RUNS = 1000

/** Return a choice of these runs, whatever is logged later. */
export const fixedChoice = (ids: string[], charts: ChartsView): PanelChoice => ({
  ...{ runs: ids.slice(0, MOST_RUNS), filter: '', view: panelView(charts) },
  limit: Math.max(1, Math.min(MOST_RUNS, ids.length)),
})

/**
 * Return the runs that a view draws, and how. It stays live: new runs that match the filter are shown. A view with a
 * search or hidden runs shows the runs that it has now, since blocks know only filters.
 */
export async function choiceOf(place: Place, view: View): Promise<PanelChoice> {
  const { sort, group, filter, search, charts } = view
  const hidden = view.hidden.filter((id) => !id.startsWith('group:'))
  if ((!search && !hidden.length) || group) {
    const newest = JSON.stringify(sort) === JSON.stringify([{ column: 'created', descending: true }])
    const more = { ...(!newest && { sort }), ...(group && { group }) }
    return { runs: [], filter, limit: charts.limit, view: { ...panelView(charts), ...more } }
  }
  if (hidden.includes(ALL)) return fixedChoice(hidden.filter((id) => id !== ALL).slice(0, charts.limit), charts)
  const limit = Math.min(MOST_RUNS, charts.limit + hidden.length)
  const page = await fetchTable(place, { filter, search, sort, columns: [], offset: 0, limit })
  const isHidden = hiddenBy(hidden)
  return fixedChoice(page.runs.filter((id) => !isHidden(id)).slice(0, charts.limit), charts)
}

/** Return the choice without the members of a panel, for a table. */
export const runsOf = ({ runs, filter, limit }: PanelChoice): RunChoice => ({ runs, filter, limit })
