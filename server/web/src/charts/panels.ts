import { strings } from '../strings'
import type { ChartsView } from '../view/view'
import type { CommonKey } from '../api/queries'
import { prefixOf, titleOf, type PanelSpec } from './panelSpec'

export interface Section {
  name: string
  panels: PanelSpec[]
}

/** The panel that a key has of itself. */
export function automatic({ key, type }: CommonKey): PanelSpec | null {
  const section = prefixOf(key) || strings.charts.noPrefix
  if (type === 'number') return { id: `line:${key}`, kind: 'line', section, keys: [key] }
  return type === 'media' ? { id: `media:${key}`, kind: 'media', section, key } : null
}

/**
 * What the wall shows: a panel for each key that is not the x of others, numbers first, in the order of keys, with those
 * that people made first; what they changed in place of what was there; without what they removed. Sections by name,
 * that of keys without a prefix first, those of media alone last.
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

/** Those whose title the search matches; null where it is no regular expression. */
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

/** Put a new or changed panel among those of the user. */
export function kept(panels: PanelSpec[], panel: PanelSpec): PanelSpec[] {
  const at = panels.findIndex((one) => one.id === panel.id)
  return at < 0 ? [...panels, panel] : panels.map((one, i) => (i === at ? panel : one))
}

/** Take a panel away: one of the user's own is gone, an automatic one is remembered as removed. */
export function without(
  view: Pick<ChartsView, 'panels' | 'removed'>,
  id: string,
): Pick<ChartsView, 'panels' | 'removed'> {
  const panels = view.panels.filter((panel) => panel.id !== id)
  const isAutomatic = /^(line|media):/.test(id)
  return { panels, removed: isAutomatic ? [...view.removed, id] : view.removed }
}

/** The panel with the order that puts it at a place (from 0) among the others of its section. */
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
