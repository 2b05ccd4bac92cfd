import contentCss from '../panel/Content.module.css'
import css from './LineChart.module.css'
import { VisuallyHidden } from '@mantine/core'
import { useCallback, useEffect, useRef, useState, type KeyboardEvent } from 'react'
import { strings } from '../../strings'
import { useColors } from '../useColors'
import { useSize } from '../useSize'
import type { Hover } from './cursor'
import { Plot } from './plot'
import { useZooms } from './sync'
import { xKind } from './ticks'
import type { Trace } from './trace'
import { spoken, Values } from './Values'

const DOUBLE_CLICK_MS = 600

interface Props {
  title: string
  lines: Trace[]
  x: string
  logX: boolean
  logY: boolean
  clip: boolean
}

/** Draw lines with axes, cursor, zoom and values. Fills its container. */
export function LineChart({ title, lines, x, logX, logY, clip }: Props) {
  const { ref, width, height } = useSize<HTMLDivElement>()
  const canvas = useRef<HTMLDivElement>(null)
  const plot = useRef<Plot | null>(null)
  const { scheme, text, grid } = useColors()
  const { sync, zoomOf, setZoom } = useZooms()
  const [hover, setHover] = useState<Hover | null>(null)
  const [pinned, setPinned] = useState<Hover | null>(null)
  const [said, setSaid] = useState('')
  const latest = useRef<Hover | null>(null)
  const clicked = useRef(-Infinity)
  const zoom = zoomOf(x)
  const kind = xKind(x)
  const there = width > 0 && height > 0

  const act = useRef({ setZoom, lines, zoom })
  act.current = { setZoom, lines, zoom }

  // biome-ignore lint/correctness/useExhaustiveDependencies: an existing plot is resized below; another x, theme or kind of axis needs a new one
  useEffect(() => {
    if (!there) return
    const made = new Plot(canvas.current!, width, height, {
      ...{ x, logX, logY, clip, sync, colors: { text, grid } },
      onHover: (at) => {
        latest.current = at
        setHover(at)
        if (at?.touched) setPinned(null) // a touch replaces the pinned values
      },
      onZoom: (range) => act.current.setZoom(x, range),
      onClick: () => {
        clicked.current = performance.now()
        setPinned(latest.current)
      },
    })
    plot.current = made
    made.show(act.current.lines, act.current.zoom)
    return () => {
      plot.current = null
      made.destroy()
    }
  }, [there, x, logX, logY, clip, scheme, text, grid, sync])

  useEffect(() => plot.current?.resize(width, height), [width, height])
  useEffect(() => plot.current?.show(lines, zoom), [lines, zoom])

  const close = useCallback(() => {
    setPinned(null)
    plot.current?.clearCursor()
  }, [])

  // The second click of a double click may hit the box that the first one pinned. It resets the zoom all the same,
  // unless the box was there before: then it selects a word.
  const onDoubleClick = () => {
    if (performance.now() - clicked.current > DOUBLE_CLICK_MS) return
    close()
    setZoom(x, null)
  }

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return
    const now = plot.current
    if (!now) return
    const steps: Record<string, number> = {
      ArrowLeft: -1,
      ArrowRight: 1,
      PageUp: -20,
      PageDown: 20,
      Home: -1e9,
      End: 1e9,
    }
    const by = steps[event.key]
    if (by !== undefined) {
      if (event.shiftKey) now.zoomBy(1, 0, 0.2 * Math.sign(by))
      else {
        const at = now.step(by)
        if (at) setSaid(spoken(at, kind))
      }
    } else if (event.key === '+' || event.key === '=') now.zoomBy(0.5)
    else if (event.key === '-') now.zoomBy(2)
    else if (event.key === '0') setZoom(x, null)
    else if (event.key === 'Enter') setPinned(latest.current)
    else if (event.key === 'Escape' && (pinned || latest.current)) close()
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  const shown = pinned ?? hover
  return (
    <div
      className={contentCss.plot}
      ref={ref}
      tabIndex={0}
      role="application"
      aria-label={strings.charts.line.label(title, lines.length)}
      onKeyDown={onKeyDown}
      onDoubleClick={onDoubleClick}
      onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && !pinned && plot.current?.clearCursor()}
    >
      <div ref={canvas} className={contentCss.canvas} />
      {shown && shown.rows.length > 0 && (
        <div className={css.place} style={placeOf(shown, canvas.current!)}>
          <Values hover={shown} kind={kind} pinned={pinned !== null} onClose={close} />
        </div>
      )}
      <VisuallyHidden aria-live="polite">{said}</VisuallyHidden>
    </div>
  )
}

const GAP = 18
/** The widest that the box of values can be, in pixels */
const ROOM = 420

/**
 * Place the values beside the cursor, on the side with more room. Without enough room, place them at the edge of the
 * panel grid, which would cut them off. The plotting area begins some 50 pixels from the left.
 */
function placeOf({ left, top }: Hover, canvas: HTMLElement) {
  const box = canvas.getBoundingClientRect()
  const panels = (canvas.closest('[data-panels]') ?? document.documentElement).getBoundingClientRect()
  const x = left + 50
  const before = box.left + x - GAP - panels.left
  const after = panels.right - box.left - x - GAP
  const side =
    before > after
      ? before < ROOM
        ? { left: panels.left - box.left + GAP / 2 }
        : { right: box.width - x + GAP }
      : after < ROOM
        ? { right: box.right - panels.right + GAP / 2 }
        : { left: x + GAP }
  return { top: Math.min(top, Math.max(0, box.height - 90)), ...side }
}
