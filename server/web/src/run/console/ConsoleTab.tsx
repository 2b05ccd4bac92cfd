import css from './ConsoleTab.module.css'

import { ActionIcon, Group, Loader, Menu, SegmentedControl, Switch } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconCopy, IconDots, IconDownload } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { Empty } from '../../shell/Empty'
import { Failed } from '../../shell/Failed'
import { strings } from '../../strings'
import { showError } from '../../shell/showError'
import type { TabProps } from '../props'
import { Lines } from './Lines'
import { SearchBar } from './SearchBar'
import { useTotal, type Stream } from './useConsole'
import { useSearch } from './useSearch'
import { saveAs, fullConsole } from './fullConsole'

const STREAMS: { value: Stream; label: string }[] = [
  { value: '', label: strings.console.both },
  { value: 'stdout', label: 'stdout' },
  { value: 'stderr', label: 'stderr' },
]

/** Show the run's output, live. */
export function ConsoleTab({ run }: TabProps) {
  const [stream, setStream] = useState<Stream>('')
  const [times, setTimes] = useState(false)
  const [following, setFollowing] = useState(true)
  const [target, setTarget] = useState<number | null>(null)
  const { data: total, error, refetch } = useTotal(run, stream)
  const search = useSearch(run, stream)
  const live = run.state === 'running'

  if (error) return <Failed error={error} reset={() => void refetch()} />
  const go = (line: number) => {
    setFollowing(false)
    setTarget(line)
  }
  return (
    <div className={css.console}>
      <div className={css.bar}>
        <SearchBar search={search} go={go} />
        <Group gap="xs" wrap="nowrap">
          <SegmentedControl
            size="xs"
            data={STREAMS}
            value={stream}
            onChange={(value) => {
              setStream(value)
              setTarget(null)
              setFollowing(true)
            }}
            aria-label={strings.console.stream}
          />
          {live && (
            <Switch
              size="xs"
              label={strings.console.follow}
              checked={following}
              onChange={(event) => setFollowing(event.currentTarget.checked)}
              title={strings.console.following}
            />
          )}
          <Options run={run} stream={stream} times={times} setTimes={setTimes} />
        </Group>
      </div>
      {total === 0 && <Nothing stream={stream} live={live} />}
      {total !== undefined && total > 0 && (
        <Lines
          key={stream}
          {...{ run, stream, total, times, target, following, setFollowing }}
          pattern={search.pattern}
        />
      )}
    </div>
  )
}

function Nothing({ stream, live }: { stream: Stream; live: boolean }) {
  if (stream) return <Empty title={strings.console.nothingStream(stream)} />
  if (live) return <Empty title={strings.console.nothingYet} />
  return <Empty title={strings.console.nothing}>{strings.console.nothingText}</Empty>
}

const COPIED_LINES = 100_000

function Options({
  run,
  stream,
  times,
  setTimes,
}: TabProps & { stream: Stream; times: boolean; setTimes: (on: boolean) => void }) {
  const copy = useMutation({
    mutationFn: async () => {
      let text = ''
      let lines = 0
      for await (const part of fullConsole(run, stream)) {
        text += part.text
        lines += part.lines
        if (lines > COPIED_LINES) throw new Error(strings.console.tooLong)
      }
      await navigator.clipboard.writeText(text)
      return lines
    },
    onSuccess: (lines) => notifications.show({ message: strings.console.copied(lines) }),
    onError: showError,
  })
  const download = useMutation({
    mutationFn: async () => {
      const parts: string[] = []
      for await (const part of fullConsole(run, stream)) parts.push(part.text)
      saveAs(`${run.id}-console.txt`, parts)
    },
    onError: showError,
  })
  const busy = copy.isPending || download.isPending
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={strings.console.options} disabled={busy}>
          {busy ? <Loader size={14} /> : <IconDots size={16} />}
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.CheckboxItem closeMenuOnClick checked={times} onChange={setTimes}>
          {strings.console.times}
        </Menu.CheckboxItem>
        <Menu.Item leftSection={<IconCopy size={16} />} onClick={() => copy.mutate()}>
          {strings.console.copyAll}
        </Menu.Item>
        <Menu.Item leftSection={<IconDownload size={16} />} onClick={() => download.mutate()}>
          {strings.common.download}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
