import css from './Blocks.module.css'
import { Text, useComputedColorScheme } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { pathOf, type Place } from '../api/paths'
import { runQuery } from '../api/queries'
import { Panel } from '../charts'
import { strokeFor } from '../lib/runStroke'
import { readable } from '../lib/format'
import { Failed } from '../shell/Failed'
import { Waiting } from '../shell/Waiting'
import type { MediaBlock } from './blocks'

const HEIGHT = 340

/** Show what one run logged, with the caption below. */
export function MediaView({ block, entity, project }: Place & { block: MediaBlock }) {
  const scheme = useComputedColorScheme('light')
  const { data: run, error, refetch } = useQuery(runQuery(entity, project, block.run))
  if (error && !run) return <Failed error={error} reset={() => void refetch()} />
  if (!run) return <Waiting height={HEIGHT} />
  const shown = [{ path: pathOf(run), id: run.id, name: run.name, stroke: strokeFor(run.ordinal, run.color, scheme) }]
  const title = `${readable(block.key)} · ${run.name}`
  const step = block.step ?? undefined
  return (
    <div>
      <Panel
        key={`${block.run} ${block.key} ${step}`}
        {...{ entity, project }}
        runs={shown}
        spec={{ id: block.id, kind: 'media', section: '', key: block.key, title, height: HEIGHT, step }}
      />
      {block.caption && (
        <Text size="sm" c="dimmed" className={css.caption}>
          {block.caption}
        </Text>
      )}
    </div>
  )
}
