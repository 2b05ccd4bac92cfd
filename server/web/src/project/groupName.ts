import { value } from '../lib/format'
import type { ColumnInfo, GroupRow } from '../api/table'

/** Name a group by its runs' common values, without those that all groups share. */
export function groupName(group: GroupRow, catalogue: ColumnInfo[]): string {
  const entries = Object.entries(group.key)
  const differs = new Map(catalogue.map((one) => [one.name, one.differs]))
  const telling = entries.filter(([name]) => differs.get(name) !== false)
  const shown = telling.length ? telling : entries
  return shown
    .map(([name, item]) =>
      shown.length > 1 && typeof item !== 'string' ? `${short(name)} ${value(item)}` : value(item),
    )
    .join(' · ')
}

const short = (name: string): string => name.replace(/^(config|summary)\./, '')
