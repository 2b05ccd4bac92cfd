import { exact, isMedia, isObject } from './values'

/** A row of a tree: a value, or a branch with its members below. */
export interface Row {
  /** Unique, unlike the path: keys may contain dots */
  id: string
  path: string
  name: string
  depth: number
  value: unknown
  /** Number of members of a branch; null for a value */
  members: number | null
}

/** Return the members of a branch: an object, or a list that contains objects. */
function membersOf(value: unknown): [string, unknown][] | null {
  if (Array.isArray(value)) return value.some((one) => isObject(one)) ? value.map((one, i) => [String(i), one]) : null
  if (!isObject(value) || isMedia(value)) return null
  const members = Object.entries(value)
  return members.length ? members : null
}

/**
 * Return the rows of a tree, without those in closed branches. With a search text, return the values whose path or
 * value contains it, with their branches open.
 */
export function rowsOf(values: Record<string, unknown>, closed: ReadonlySet<string>, search: string): Row[] {
  const rows: Row[] = []
  const wanted = search.trim().toLowerCase()
  const add = (name: string, value: unknown, path: string, id: string, depth: number): boolean => {
    const members = membersOf(value)
    if (!members) {
      if (wanted && !`${path}\n${exact(value)}`.toLowerCase().includes(wanted)) return false
      rows.push({ id, path, name, depth, value, members: null })
      return true
    }
    const at = rows.push({ id, path, name, depth, value, members: members.length })
    if (!wanted && closed.has(id)) return true
    const found = members.filter(([inner, one]) =>
      add(inner, one, `${path}.${inner}`, within(id, inner), depth + 1),
    ).length
    if (!found) rows.length = at - 1
    return found > 0
  }
  for (const [name, value] of Object.entries(values)) add(name, value, name, name, 0)
  return rows
}

const within = (id: string, name: string): string => `${id}\0${name}`

/** Return the ids of all branches. */
export function branchesOf(values: Record<string, unknown>, prefix = ''): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const members = membersOf(value)
    const id = prefix + name
    return members ? [id, ...branchesOf(Object.fromEntries(members), within(id, ''))] : []
  })
}
