import { strings } from '../../strings'
import type { ColumnInfo } from '../../api/table'
import type { CommonKey } from '../../api/queries'
import { columnTitle, prefixOf, type PanelKind, type PanelSpec } from '../panelSpec'

/** Kinds that can be chosen for a new panel. `media` shows whatever a key holds. */
export const KINDS = ['line', 'bar', 'scatter', 'parallel', 'media'] as const
export type MadeKind = (typeof KINDS)[number]

/** All fields of the form, for every kind of panel. Making the panel drops fields that its kind does not have. */
export interface Draft {
  kind: PanelKind
  title: string
  section: string
  keys: string[]
  regex: string
  ownX: string
  logX: boolean
  logY: boolean
  smoothing: 'common' | 'own'
  weight: number
  smoothingKind: 'none' | 'ema' | 'time-ema' | 'mean'
  column: string
  x: string
  y: string
  color: string
  pareto: string
  columns: string[]
  key: string
}

/** Initial values of the form: those of the panel, or defaults for a new one. */
export function draftOf(spec: PanelSpec | null, keys: CommonKey[], columns: ColumnInfo[]): Draft {
  const numbers = columns.filter((column) => column.type === 'number' && column.differs)
  const summary = numbers.find((column) => column.kind === 'summary')?.name ?? ''
  const config = numbers.find((column) => column.kind === 'config')?.name ?? ''
  const draft: Draft = {
    ...{ kind: 'line', title: '', section: strings.charts.noPrefix, keys: [], regex: '', ownX: '' },
    ...{ logX: false, logY: false, smoothing: 'common', weight: 0.6, smoothingKind: 'ema' },
    ...{ column: summary, x: config, y: summary, color: '', pareto: '' },
    columns: [
      ...numbers
        .filter((one) => one.kind === 'config')
        .slice(0, 5)
        .map((one) => one.name),
      summary,
    ].filter(Boolean),
    key: keys.find((key) => key.type === 'media')?.key ?? '',
  }
  if (!spec) return draft
  const { smoothing, x, ...rest } = spec as PanelSpec & {
    smoothing?: { kind: Draft['smoothingKind']; weight: number }
    x?: string
  }
  const known = Object.fromEntries(Object.entries(rest).filter(([name, value]) => name in draft && value !== undefined))
  return {
    ...draft,
    ...known,
    ...(smoothing && { smoothing: 'own' as const, smoothingKind: smoothing.kind, weight: smoothing.weight }),
    ...(spec.kind === 'line' ? { ownX: x ?? '' } : x !== undefined && { x }),
  }
}

/** Make the panel; null if a required field is missing. */
export function specOf(draft: Draft, base: PanelSpec | null): PanelSpec | null {
  const { kind, title, logX, logY, keys, regex, ownX, column, x, y, color, pareto, columns, key } = draft
  const place = base && { width: base.width, height: base.height, order: base.order }
  const common = {
    ...place,
    id: base?.id ?? newId(),
    section: draft.section.trim() || strings.charts.noPrefix,
    ...(title.trim() && { title: title.trim() }),
  }
  const logs = { ...(logX && { logX }), ...(logY && { logY }) }
  const made = (): PanelSpec | null => {
    switch (kind) {
      case 'line': {
        const smoothing =
          draft.smoothing === 'own' ? { smoothing: { kind: draft.smoothingKind, weight: draft.weight } } : {}
        if (!keys.length && !regex) return null
        return { ...common, kind, keys, ...(ownX && { x: ownX }), ...logs, ...smoothing, ...(regex && { regex }) }
      }
      case 'bar':
        return column ? { ...common, kind, column } : null
      case 'scatter':
        return x && y
          ? ({ ...common, kind, x, y, ...(color && { color }), ...(pareto && { pareto }), ...logs } as PanelSpec)
          : null
      case 'parallel':
        return columns.length > 1 ? { ...common, kind, columns, ...(color && { color }) } : null
      default:
        return key ? { ...common, kind, key } : null
    }
  }
  const spec = made()
  return spec && (JSON.parse(JSON.stringify(spec)) as PanelSpec)
}

/** The section where a new panel of these keys belongs. */
export const sectionFor = (key: string): string => prefixOf(columnTitle(key)) || strings.charts.noPrefix

const newId = (): string => `p-${Math.random().toString(36).slice(2, 8)}`
