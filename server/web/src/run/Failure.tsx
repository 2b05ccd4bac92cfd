import { Group, Text, Title } from '@mantine/core'
import { IconCircleX } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { urlOf } from '../api/client'
import { Copy } from '../shell/Copy'
import { send } from '../api/client'
import { strings } from '../strings'
import type { TabProps } from './Run'
import { isObject } from './values'

/** What the failing process said, with the traceback of each process that left one. */
export function Failure({ run }: TabProps) {
  const failed = Boolean(run.error)
  const { data: tracebacks = [] } = useQuery({
    queryKey: ['run', run.entity, run.project, run.id, 'tracebacks', run.state],
    queryFn: async ({ signal }) => tracebacksOf(await send('GET', `${urlOf(run)}/fold`, undefined, signal)),
    enabled: failed,
  })
  if (!failed) return null
  return (
    <section className="panel facts failure">
      <Group gap="xs" wrap="nowrap" align="flex-start">
        <IconCircleX size={20} aria-hidden className="state-failed" />
        <div className="grow">
          <Title order={2} size="h5">
            {strings.run.error}
          </Title>
          <Text className="wrap pre" mt={4}>
            {run.error}
          </Text>
          {tracebacks.map(({ process, text }, i) => (
            <details key={process} open={i === 0 && tracebacks.length === 1}>
              <summary>{tracebacks.length > 1 ? strings.run.tracebackOf(process) : strings.run.traceback}</summary>
              <div className="traceback">
                <pre className="mono" tabIndex={0}>
                  {text}
                </pre>
                <div className="snippet-copy">
                  <Copy text={text} what={strings.run.traceback} />
                </div>
              </div>
            </details>
          ))}
        </div>
      </Group>
    </section>
  )
}

function tracebacksOf(folded: unknown): { process: string; text: string }[] {
  const streams = isObject(folded) && isObject(folded.fold) ? folded.fold.streams : null
  if (!isObject(streams)) return []
  return Object.entries(streams).flatMap(([name, stream]) => {
    if (!isObject(stream) || typeof stream.traceback !== 'string') return []
    const process = stream.pid ? `${String(stream.host ?? '')} · ${String(stream.pid)}` : name
    return [{ process, text: stream.traceback.trimEnd() }]
  })
}
