import { useMemo } from 'react'
import { dashed } from '../lib/palette'
import type { ShownGroup, ShownRun } from './types'
import { useKeys } from './useKeys'

/**
 * Return what panels draw of runs or groups: at most `limit`, with dashes where colors repeat, and the keys that they
 * have logged. In groups each run is drawn in the color of its group.
 */
export function useDrawing(runs: ShownRun[], groups: ShownGroup[], limit: number, kind: 'history' | 'system') {
  const grouped = groups.length > 0
  const bands = useMemo(() => dashed(groups.slice(0, limit)), [groups, limit])
  const members = useMemo(() => bands.flatMap(membersOf), [bands])
  const drawn = useDrawn(grouped ? members : runs, grouped ? members.length : limit)
  return { bands, drawn, ...useKeys(grouped ? sampleOf(bands, drawn) : drawn, kind) }
}

/** Return the runs of a group, each drawn in the group's color. Only their ids are known here. */
const membersOf = (group: ShownGroup): ShownRun[] =>
  group.runs.map((path) => {
    const id = path.slice(path.lastIndexOf('/') + 1)
    return { path, id, name: `${group.name} · ${id}`, stroke: group.stroke, group: group.name }
  })

/** Return a few runs of each group: the others have most likely logged the same keys. */
const sampleOf = (groups: ShownGroup[], members: ShownRun[]): ShownRun[] =>
  groups.flatMap((group) => members.filter((run) => run.group === group.name).slice(0, 3))

/** Return the drawn runs, with dashes where colors repeat; the same array until they change. */
function useDrawn(runs: ShownRun[], limit: number): ShownRun[] {
  const first = runs.slice(0, limit)
  const drawn = first[0]?.group === undefined ? dashed(first) : first
  const text = JSON.stringify(drawn)
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text identifies the array, which is new at each render
  return useMemo(() => drawn, [text])
}
