import factsCss from './Facts.module.css'
import css from './Failure.module.css'
import runStateCss from '../shell/RunState.module.css'
import { Group, Text, Title } from '@mantine/core'
import { IconCircleX } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { data, GET } from '../api/client'
import { runPlaceOf } from '../api/paths'
import { size } from '../lib/format'
import { CopyButton } from '../shell/CopyButton'
import { strings } from '../strings'
import type { TabProps } from './props'
import { isObject } from './values'

/** Show the run's error, with the traceback of each process that recorded one. */
export function Failure({ run }: TabProps) {
  const failed = Boolean(run.error) || run.state === 'crashed' || run.state === 'failed'
  const { data: folded } = useQuery({
    queryKey: ['run', run.entity, run.project, run.id, 'tracebacks', run.state],
    queryFn: ({ signal }) =>
      data(GET('/api/runs/{entity}/{project}/{id}/fold', { params: { path: runPlaceOf(run) }, signal })),
    enabled: failed,
  })
  if (!failed) return null
  const [tracebacks, ends] = [tracebacksOf(folded), endsOf(folded)]
  if (!run.error && !ends.length) return null
  return (
    <section className={`panel ${factsCss.facts} ${css.failure}`}>
      <Group gap="xs" wrap="nowrap" align="flex-start">
        <IconCircleX size={20} aria-hidden className={runStateCss.failed} />
        <div className="grow">
          <Title order={2} size="h5">
            {strings.run.error}
          </Title>
          <Text className="wrap pre" mt={4}>
            {run.error}
          </Text>
          {ends.map((text) => (
            <Text key={text} size="sm" c="dimmed" className="wrap">
              {text}
            </Text>
          ))}
          {tracebacks.map(({ process, text }, i) => (
            <details key={process} open={i === 0 && tracebacks.length === 1}>
              <summary>{tracebacks.length > 1 ? strings.run.tracebackOf(process) : strings.run.traceback}</summary>
              <div className={css.traceback}>
                <pre className="mono" tabIndex={0}>
                  {text}
                </pre>
                <div className={css.copy}>
                  <CopyButton text={text} what={strings.run.traceback} />
                </div>
              </div>
            </details>
          ))}
        </div>
      </Group>
    </section>
  )
}

const streamsOf = (folded: unknown): [string, Record<string, unknown>][] => {
  const streams = isObject(folded) && isObject(folded.fold) ? folded.fold.streams : null
  return isObject(streams)
    ? Object.entries(streams).filter((one): one is [string, Record<string, unknown>] => isObject(one[1]))
    : []
}

const processOf = (name: string, { pid, host }: Record<string, unknown>): string =>
  pid ? `${String(host ?? '')} · ${String(pid)}` : name

/** Describe how processes ended unsuccessfully: signal or exit status, memory. */
function endsOf(folded: unknown): string[] {
  const text = strings.run
  return streamsOf(folded).flatMap(([name, stream]) => {
    const { signal, exit_code: code, peak_memory: peak, out_of_memory: out } = stream
    const said = [
      typeof signal === 'string'
        ? text.endedBy(signal)
        : typeof code === 'number' && code !== 0
          ? text.exitStatus(code)
          : '',
      typeof peak === 'number' ? text.peakMemory(size(peak)) : '',
      out === true ? text.outOfMemory : '',
    ].filter(Boolean)
    return said.length ? [`${processOf(name, stream)}: ${said.join(' · ')}`] : []
  })
}

function tracebacksOf(folded: unknown): { process: string; text: string }[] {
  return streamsOf(folded).flatMap(([name, stream]) =>
    typeof stream.traceback === 'string'
      ? [{ process: processOf(name, stream), text: stream.traceback.trimEnd() }]
      : [],
  )
}
