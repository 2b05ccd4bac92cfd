import type { RunPlace } from '../api/paths'
import { isObject } from './values'

/** The known parts of a run's `environment`; values of other types are dropped. */
export interface Environment {
  host?: string
  command?: string
  program?: string
  cwd?: string
  python?: string
  executable?: string
  os?: string
  kernel?: string
  machine?: string
  memory?: number
  cpu?: { model?: string; cores?: number; threads?: number }
  gpus: { name: string; memory?: number }[]
  driver?: string
  cuda?: string
  git?: Git
  files: string[]
  leftOut: Record<string, string>
}

export interface Git {
  root?: string
  commit?: string
  branch?: string
  remote?: string
  dirty?: boolean
  submodules: Record<string, string>
}

const text = (value: unknown) => (typeof value === 'string' ? value : undefined)
const amount = (value: unknown) => (typeof value === 'number' ? value : undefined)
const texts = (value: unknown) =>
  isObject(value) ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, String(v)])) : {}
const list = (value: unknown) => (Array.isArray(value) ? (value as unknown[]) : [])

export function environmentOf(said: Record<string, unknown>): Environment {
  const { cpu } = said
  return {
    ...Object.fromEntries(
      ['host', 'program', 'cwd', 'python', 'executable', 'os', 'kernel', 'machine', 'driver', 'cuda'].map((name) => [
        name,
        text(said[name]),
      ]),
    ),
    command: Array.isArray(said.command) ? said.command.map((word) => quoted(String(word))).join(' ') : undefined,
    memory: amount(said.memory),
    cpu: isObject(cpu) ? { model: text(cpu.model), cores: amount(cpu.cores), threads: amount(cpu.threads) } : undefined,
    gpus: list(said.gpus)
      .filter(isObject)
      .map((one) => ({ name: String(one.name), memory: amount(one.memory) })),
    git: isObject(said.git) ? gitOf(said.git) : undefined,
    files: list(said.files).map(String),
    leftOut: texts(said.left_out),
  }
}

function gitOf(said: Record<string, unknown>): Git {
  const { root, commit, branch, remote, dirty, submodules } = said
  return {
    ...{ root: text(root), commit: text(commit), branch: text(branch), remote: text(remote) },
    dirty: typeof dirty === 'boolean' ? dirty : undefined,
    submodules: texts(submodules),
  }
}

/** Quote a word for a POSIX shell if needed. */
export const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`

/** Return the web page of a repository or commit, if the remote is at a host that has such pages. */
export function pageOf(remote: string | undefined, commit?: string): string | null {
  const found = /^(?:https?:\/\/|ssh:\/\/git@|git@)([\w.-]+)(?::\d+)?[:/]([\w./~-]+?)(?:\.git)?\/?$/.exec(remote ?? '')
  if (!found) return null
  return `https://${found[1]!}/${found[2]!}${commit ? `/commit/${commit}` : ''}`
}

/** Parse `entity/project/id?_step=N`. */
export function originOf(reference: string): (RunPlace & { step: string }) | null {
  const found = /^([^/]+)\/([^/]+)\/([\w-]+)\?_step=(\d+)$/.exec(reference)
  return found ? { entity: found[1]!, project: found[2]!, id: found[3]!, step: found[4]! } : null
}
