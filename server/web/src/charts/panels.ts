import { strings } from '../strings'
import type { ChartsView } from '../view/view'
import type { CommonKey } from '../api/queries'
import { prefixOf, titleOf, type PanelSpec } from './panelSpec'

export interface Section {
  name: string
  panels: PanelSpec[]
}

/** The automatic panel of a key. */
export function automatic({ key, type }: CommonKey): PanelSpec | null {
  const section = prefixOf(key) || strings.charts.noPrefix
  if (type === 'number') return { id: `line:${key}`, kind: 'line', section, keys: [key] }
  return type === 'media' ? { id: `media:${key}`, kind: 'media', section, key } : null
}

/**
 * Return the panels to show, in sections. Each key that is not the x of others has an automatic panel, numbers first.
 * Panels that users made come first; edited panels replace the automatic ones, and removed ones are left out. Sections
 * are sorted by name: the one for keys without a prefix comes first, those with media only come last.
 */
export function sectionsOf(keys: CommonKey[], view: Pick<ChartsView, 'panels' | 'removed'>): Section[] {
  const own = new Map(view.panels.map((panel) => [panel.id, panel]))
  const removed = new Set(view.removed)
  const axes = new Set(keys.map((one) => one.x))
  const sorted = [...keys].sort(
    (a, b) => Number(a.type !== 'number') - Number(b.type !== 'number') || compare(a.key, b.key),
  )
  const placed: { panel: PanelSpec; order: number }[] = []
  sorted.forEach((key, at) => {
    const made = automatic(key)
    if (!made || removed.has(made.id) || (axes.has(key.key) && !own.has(made.id))) return
    const panel = own.get(made.id) ?? made
    own.delete(made.id)
    placed.push({ panel, order: panel.order ?? at })
  })
  const made = [...own.values()].filter((panel) => !removed.has(panel.id))
  for (const [at, panel] of made.entries()) placed.push({ panel, order: panel.order ?? at - made.length })
  placed.sort((a, b) => a.order - b.order)
  const sections = new Map<string, PanelSpec[]>()
  for (const { panel, order } of placed) {
    const list = sections.get(panel.section) ?? []
    sections.set(panel.section, list)
    list.push({ ...panel, order })
  }
  const rank = ({ name, panels }: Section) =>
    name === strings.charts.noPrefix ? 0 : panels.some((one) => one.kind !== 'media') ? 1 : 2
  return [...sections]
    .map(([name, panels]) => ({ name, panels }))
    .sort((a, b) => rank(a) - rank(b) || compare(a.name, b.name))
}

/** Return the panels whose title matches the search; null if it is not a valid regular expression. */
export function matching(sections: Section[], search: string): Section[] | null {
  if (!search) return sections
  let regex: RegExp
  try {
    regex = new RegExp(search, 'i')
  } catch {
    return null
  }
  return sections
    .map(({ name, panels }) => ({ name, panels: panels.filter((panel) => regex.test(titleOf(panel))) }))
    .filter(({ panels }) => panels.length)
}

/** Add a new or edited panel to the user's panels. */
export function kept(panels: PanelSpec[], panel: PanelSpec): PanelSpec[] {
  const at = panels.findIndex((one) => one.id === panel.id)
  return at < 0 ? [...panels, panel] : panels.map((one, i) => (i === at ? panel : one))
}

/** Remove a panel: delete one of the user's, remember an automatic one as removed. */
export function without(
  view: Pick<ChartsView, 'panels' | 'removed'>,
  id: string,
): Pick<ChartsView, 'panels' | 'removed'> {
  const panels = view.panels.filter((panel) => panel.id !== id)
  const isAutomatic = /^(line|media):/.test(id)
  return { panels, removed: isAutomatic ? [...view.removed, id] : view.removed }
}

/** Return the panel with the `order` that moves it to a place (from 0) in its section. */
export function moved(panels: PanelSpec[], id: string, to: number): PanelSpec | null {
  const panel = panels.find((one) => one.id === id)
  if (!panel) return null
  const others = panels.filter((one) => one.id !== id)
  const at = Math.max(0, Math.min(others.length, to))
  const before = others[at - 1]?.order
  const after = others[at]?.order
  if (before === undefined && after === undefined) return panel
  const order = before === undefined ? after! - 1 : after === undefined ? before + 1 : (before + after) / 2
  return { ...panel, order }
}

const compare = (a: string, b: string) => a.localeCompare(b, 'en', { numeric: true })
