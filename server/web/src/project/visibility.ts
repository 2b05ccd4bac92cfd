/**
 * Which runs and groups are hidden from charts, as a list of ids. With `ALL` in the list, all others are hidden
 * instead: one run of thousands can be shown alone, and the link stays short.
 */
export const ALL = '*'

export function hiddenBy(list: string[]): (id: string) => boolean {
  const named = new Set(list)
  const all = named.delete(ALL)
  return (id) => named.has(id) !== all
}

export const toggled = (list: string[], id: string): string[] =>
  list.includes(id) ? list.filter((one) => one !== id) : [...list, id]
