/**
 * Which runs and groups are not drawn, as a list of ids. With `ALL` in the list all are hidden but those that it names,
 * so that one of thousands can be shown alone and a link still be short.
 */
export const ALL = '*'

export function hiddenBy(list: string[]): (id: string) => boolean {
  const named = new Set(list)
  const all = named.delete(ALL)
  return (id) => named.has(id) !== all
}

export const toggled = (list: string[], id: string): string[] =>
  list.includes(id) ? list.filter((one) => one !== id) : [...list, id]
