import css from './Overview.module.css'
import factsCss from './Facts.module.css'
import { Anchor, Stack, Text, Title } from '@mantine/core'
import { placeOf } from '../api/paths'
import { IS_SHARED } from '../api/session'
import { Comments } from '../comments/Comments'
import { duration, moment, number, size, value } from '../lib/format'
import { ErrorBoundary } from '../shell/ErrorBoundary'
import { strings } from '../strings'
import { Alerts } from './Alerts'
import { EditHistory } from './EditHistory'
import { environmentOf, type Environment } from './environment'
import { Fact, Facts } from './Facts'
import { Failure } from './Failure'
import { Lineage } from './Lineage'
import { Notes } from './Notes'
import { GitFacts, Reproduce } from './Reproduce'
import type { TabProps } from './props'
import { TabLink } from './TabLink'
import { exact, flatten, holdsMedia } from './values'

/** The overview of a run. */
export function Overview({ run }: TabProps) {
  const environment = environmentOf(run.environment)
  return (
    <div className={css.overview}>
      <Stack gap="md">
        <ErrorBoundary>
          <Failure run={run} />
        </ErrorBoundary>
        <ErrorBoundary>
          <Alerts run={run} />
        </ErrorBoundary>
        <ErrorBoundary>
          <Notes run={run} />
        </ErrorBoundary>
        <ErrorBoundary>
          <Leaves title={strings.run.summary} values={run.summary} />
        </ErrorBoundary>
        <ErrorBoundary>
          <Leaves title={strings.run.config} values={run.config} />
        </ErrorBoundary>
        {!IS_SHARED && (
          <ErrorBoundary>
            <Comments {...placeOf(run)} run={run.id} />
          </ErrorBoundary>
        )}
      </Stack>
      <Stack gap="md">
        <ErrorBoundary>
          <About run={run} host={environment.host} />
        </ErrorBoundary>
        <ErrorBoundary>
          <Problems run={run} environment={environment} />
        </ErrorBoundary>
        <ErrorBoundary>
          <Lineage run={run} />
        </ErrorBoundary>
        <ErrorBoundary>
          <EditHistory run={run} />
        </ErrorBoundary>
        <ErrorBoundary>
          <GitFacts environment={environment} />
        </ErrorBoundary>
        <ErrorBoundary>
          <Reproduce run={run} environment={environment} />
        </ErrorBoundary>
        <ErrorBoundary>
          <Machine environment={environment} />
        </ErrorBoundary>
        <ErrorBoundary>
          <EventFiles run={run} />
        </ErrorBoundary>
      </Stack>
    </div>
  )
}

function About({ run, host }: TabProps & { host?: string }) {
  const running = run.state === 'running'
  return (
    <Facts title={strings.run.about}>
      <Fact name={strings.run.id} text={run.id} mono copy />
      <Fact name={strings.run.user} text={run.user} />
      <Fact name={strings.run.created} text={moment(run.created)} />
      <Fact name={running ? strings.run.updated : strings.run.ended} text={moment(run.updated)} />
      {!running && <Fact name={strings.run.duration} text={duration(run.updated - run.created)} />}
      <Fact name={strings.run.group} text={run.group} />
      <Fact name={strings.run.jobType} text={run.job_type} />
      <Fact name={strings.run.host} text={run.host ?? host} />
      <Fact name={strings.run.rows}>
        {number(run.rows)}
        {run.last_step !== null && (
          <Text span size="sm" c="dimmed">
            {' '}
            · {strings.run.lastStep} {number(run.last_step)}
          </Text>
        )}
      </Fact>
    </Facts>
  )
}

function Problems({ run, environment }: TabProps & { environment: Environment }) {
  const leftOut = Object.entries(environment.leftOut)
  if (!run.corrupt && !run.lost && !run.refused && !run.suspect && !leftOut.length) return null
  return (
    <section className={`panel ${factsCss.facts}`}>
      <Title order={2} size="h5" mb="xs">
        {strings.run.problems}
      </Title>
      <Stack gap={4}>
        {run.corrupt > 0 && <Text size="sm">{strings.run.corrupt(run.corrupt)}</Text>}
        {run.lost > 0 && <Text size="sm">{strings.run.lost(run.lost)}</Text>}
        {run.refused > 0 && <Text size="sm">{strings.run.refused(run.refused)}</Text>}
        {run.suspect && <Text size="sm">{strings.run.suspect}</Text>}
        {leftOut.length > 0 && (
          <details>
            <summary>{strings.run.leftOut(leftOut.length)}</summary>
            <ul className="plain-list">
              {leftOut.map(([name, reason]) => (
                <Text key={name} component="li" size="sm" className="wrap">
                  <span className="mono">{name}</span>: {reason}
                </Text>
              ))}
            </ul>
          </details>
        )}
      </Stack>
    </section>
  )
}

function Machine({ environment }: { environment: Environment }) {
  const { os, kernel, machine, cpu, memory, gpus, driver, cuda } = environment
  if (!os && !cpu && !gpus.length) return null
  const cores = cpu?.cores && cpu.threads ? strings.run.cores(cpu.cores, cpu.threads) : null
  return (
    <Facts title={strings.run.machine}>
      <Fact name={strings.run.os} text={[os, kernel, machine].filter(Boolean).join(' · ')} />
      <Fact name={strings.run.cpu} text={[cpu?.model, cores].filter(Boolean).join(' · ')} />
      <Fact name={strings.run.memory} text={memory ? size(memory) : null} />
      {gpus.length > 0 && (
        <Fact name={strings.run.gpus}>
          {grouped(gpus.map((gpu) => (gpu.memory ? `${gpu.name} (${size(gpu.memory)})` : gpu.name)))}
        </Fact>
      )}
      <Fact name={strings.run.driver} text={[driver, cuda && `CUDA ${cuda}`].filter(Boolean).join(' · ')} />
    </Facts>
  )
}

/** Combine equal names: `8 × H100`. */
function grouped(names: string[]) {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts].map(([name, n]) => <div key={name}>{n > 1 ? `${n} × ${name}` : name}</div>)
}

function EventFiles({ run }: TabProps) {
  const files = Object.values(run.event_files)
  if (!files.length) return null
  return (
    <section className={`panel ${factsCss.facts}`}>
      <Title order={2} size="h5" mb="xs">
        {strings.run.eventFiles}
      </Title>
      <ul className="plain-list">
        {files.map((file) => (
          <li key={file.name} className="mono wrap">
            {file.name}
          </li>
        ))}
      </ul>
    </section>
  )
}

const SHOWN = 24

/** Show the first values of config or summary; the config tab has all, media included. */
function Leaves({ title, values }: { title: string; values: Record<string, unknown> }) {
  const leaves = flatten(values).filter(({ value: item }) => !holdsMedia(item))
  if (!leaves.length) return null
  return (
    <section className={`panel ${factsCss.facts}`}>
      <Title order={2} size="h5" mb="xs">
        {title}
      </Title>
      <div className={css.metrics}>
        {leaves.slice(0, SHOWN).map(({ path, value: item }) => (
          <div key={path} className={css.metric}>
            <Text size="sm" c="dimmed" truncate title={path}>
              {path}
            </Text>
            <Text fw={600} truncate title={exact(item)}>
              {value(item)}
            </Text>
          </div>
        ))}
      </div>
      {leaves.length > SHOWN && (
        <Anchor component={TabLink} tab="config" size="sm" mt="xs" display="inline-block">
          {strings.run.all(leaves.length)}
        </Anchor>
      )}
    </section>
  )
}
