import css from './Lines.module.css'
import { ActionIcon, Button, Tooltip } from '@mantine/core'
import { useElementSize, useMergedRef } from '@mantine/hooks'
import { IconArrowDown } from '@tabler/icons-react'
import { useLayoutEffect, useRef, useState } from 'react'
import type { RunInfo } from '../../api/client'
import { strings } from '../../strings'
import { Line } from './Line'
import { LINE, topOf, windowAt } from './scrolling'
import { useLines, type Stream } from './useConsole'

interface Props {
  run: RunInfo
  stream: Stream
  total: number
  times: boolean
  pattern: RegExp | null
  /** Number of the line to scroll to */
  target: number | null
  following: boolean
  setFollowing: (following: boolean) => void
}

const OVERSCAN = 20

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })

/** Show all lines; only visible ones are in the document. Follows the end until the user scrolls up. */
export function Lines({ run, stream, total, times, pattern, target, following, setFollowing }: Props) {
  const scroller = useRef<HTMLDivElement>(null)
  const { ref: measured, height: view } = useElementSize()
  const [top, setTop] = useState(0)
  const seenTotal = useRef(total)
  const { height, first, count } = windowAt(total, view, top)
  const from = Math.max(0, Math.floor(first) - OVERSCAN)
  // Fetch nothing until the height is measured and the visible lines are known.
  const to = view ? Math.min(total, Math.ceil(first + count) + OVERSCAN) : from
  const { lineAt } = useLines(run, stream, total, from, to)

  // biome-ignore lint/correctness/useExhaustiveDependencies: scroll again when new lines move the end
  useLayoutEffect(() => {
    const element = scroller.current
    if (element && following && view) element.scrollTop = element.scrollHeight
  }, [following, total, view])

  // biome-ignore lint/correctness/useExhaustiveDependencies: only a new target scrolls, not new lines
  useLayoutEffect(() => {
    if (target === null || !scroller.current || !view) return
    scroller.current.scrollTop = topOf(target, total, view)
  }, [target, view])

  const onScroll = () => {
    const element = scroller.current!
    setTop(element.scrollTop)
    const atEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - LINE
    if (atEnd) seenTotal.current = total
    if (atEnd !== following) setFollowing(atEnd)
  }
  if (following) seenTotal.current = total
  const added = total - seenTotal.current
  return (
    <div className={css.frame}>
      <div
        ref={useMergedRef(scroller, measured)}
        className={css.scroller}
        onScroll={onScroll}
        tabIndex={0}
        role="region"
        aria-label={strings.console.label}
      >
        <div className={css.whole} style={{ height }}>
          {/* Stays in the window, and is moved by the part of a line that is scrolled away. */}
          <div className={css.window} style={{ height: Math.min(view, height) }}>
            <div style={{ transform: `translateY(${(from - first) * LINE}px)` }}>
              {Array.from({ length: Math.max(0, to - from) }, (_, i) => {
                const line = lineAt(from + i)
                const time = times ? (line ? clock.format(line.time * 1000) : '') : null
                return (
                  <Line key={from + i} {...{ line, time, pattern }} number={from + i} current={from + i === target} />
                )
              })}
            </div>
          </div>
        </div>
      </div>
      {!following && (
        <div className={css.jump}>
          {added > 0 ? (
            <Button size="compact-sm" leftSection={<IconArrowDown size={14} />} onClick={() => setFollowing(true)}>
              {strings.console.jump(added)}
            </Button>
          ) : (
            <Tooltip label={strings.console.jump(0)}>
              <ActionIcon variant="default" aria-label={strings.console.jump(0)} onClick={() => setFollowing(true)}>
                <IconArrowDown size={16} />
              </ActionIcon>
            </Tooltip>
          )}
        </div>
      )}
    </div>
  )
}
