import type { RunInfo } from '../api/client'
import { environmentOf } from '../run/environment'
import { flatten, holdsMedia, stringify } from '../run/values'
import { strings } from '../strings'

/** One value per run; undefined if a run lacks it. */
export interface Row {
  group: string
  name: string
  values: unknown[]
  differs: boolean
}

/** Whether two values are equal as text. */
export const same = (a: unknown, b: unknown): boolean =>
  a === b || (a !== undefined && b !== undefined && stringify(a) === stringify(b))

/** Put named values of several runs side by side, in order of first appearance. */
export function sideBySide(group: string, columns: Map<string, unknown>[]): Row[] {
  const names = new Set(columns.flatMap((column) => [...column.keys()]))
  return [...names].map((name) => {
    const values = columns.map((column) => column.get(name))
    return { group, name, values, differs: values.some((value) => !same(value, values[0])) }
  })
}

/** Values without media, which always differ; the charts show them. */
const leaves = (values: Record<string, unknown>) =>
  new Map(
    flatten(values)
      .filter(({ value }) => !holdsMedia(value))
      .map(({ path, value }) => [path, value]),
  )

/** Return rows for the runs' state, config and summary. */
export function differencesOf(runs: RunInfo[]): Row[] {
  const { groups } = strings.compare
  return [
    ...sideBySide(groups.run, runs.map(factsOf)).filter((row) => row.values.some((value) => value !== undefined)),
    ...sideBySide(
      groups.config,
      runs.map((run) => leaves(run.config)),
    ),
    ...sideBySide(
      groups.summary,
      runs.map((run) => leaves(run.summary)),
    ),
  ]
}

function factsOf(run: RunInfo): Map<string, unknown> {
  const { git, command, python, gpus, host } = environmentOf(run.environment)
  const text = strings.run
  const facts: [string, unknown][] = [
    [text.state, strings.states[run.state] ?? run.state],
    [text.seconds, Math.round(10 * (run.updated - run.created)) / 10],
    [text.group, run.group ?? undefined],
    [text.jobType, run.job_type ?? undefined],
    [text.tags, run.tags.length ? run.tags.join(', ') : undefined],
    [text.lastStep, run.last_step ?? undefined],
    [text.host, run.host ?? host],
    [text.gpus, gpus.length ? gpus.map((gpu) => gpu.name).join(', ') : undefined],
    [text.command, command],
    [text.commit, git?.commit],
    [text.branch, git?.branch],
    [text.python, python],
  ]
  return new Map(facts)
}

/** Return the relative difference of two numbers: 0.1 for 10 %; null if it is undefined. */
export function relative(value: unknown, baseline: unknown): number | null {
  if (typeof value !== 'number' || typeof baseline !== 'number' || baseline === 0) return null
  const part = (value - baseline) / Math.abs(baseline)
  return Number.isFinite(part) ? part : null
}

/** `+12.3 %` */
export function percent(part: number): string {
  const size = Math.abs(100 * part)
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2
  const text = size >= 1e5 ? '> 99,999' : size.toLocaleString('en', { maximumFractionDigits: digits })
  return `${part < 0 ? '−' : '+'}${text} %`
}
