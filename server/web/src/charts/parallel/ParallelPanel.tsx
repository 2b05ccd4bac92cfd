import contentCss from '../panel/Content.module.css'
import css from './ParallelPanel.module.css'
import { Button, Collapse, Group, NumberInput, TextInput } from '@mantine/core'
import { useEffect, useMemo, useRef, useState, type PointerEvent } from 'react'
import { strings } from '../../strings'
import { useColors } from '../useColors'
import { useSize } from '../useSize'
import type { PanelProps } from '../panel/props'
import { Empty, Loading, Trouble } from '../panel/States'
import type { ParallelSpec } from '../panelSpec'
import { asNumber, useRows } from '../table/runRows'
import { axisOf, conditionOf, positionOf, valueAt, within, type Axis, type Part } from './axes'
import { MARGIN, paintAxes, paintLines, placesOf } from './paint'
import { rampColors } from '../colorRamp'

/** Draw each run as a line across parallel axes. Dragged or typed ranges become a filter. */
export default function ParallelPanel(props: PanelProps & { spec: ParallelSpec }) {
  const { spec, title, onBrush } = props
  const asked = useMemo(() => [...spec.columns, ...(spec.color ? [spec.color] : [])], [spec])
  const { rows, error, pending, refetch } = useRows(props, asked)
  const colors = useColors()
  const axes = useMemo(
    () =>
      spec.columns.map((column, i) =>
        axisOf(
          column,
          rows.map((row) => row.values[i] ?? null),
        ),
      ),
    [rows, spec],
  )
  const lineColors = useMemo(() => {
    if (!spec.color) return rows.map((row) => row.color)
    return rampColors(
      rows.map((row) => asNumber(row.values[spec.columns.length])),
      colors.scheme,
      colors.text,
    )
  }, [rows, spec, colors.scheme, colors.text])
  const [parts, setParts] = useState<(Part | null)[]>([])
  const inside = useMemo(() => within(axes, parts, rows.length), [axes, parts, rows])
  const [typing, setTyping] = useState(false)
  const text = strings.charts.parallel
  if (error && !rows.length) return <Trouble error={error} retry={() => void refetch()} />
  if (pending) return <Loading />
  if (spec.columns.length < 2) return <Empty>{strings.charts.empty.few}</Empty>
  const set = (at: number, part: Part | null) => setParts(axes.map((_, i) => (i === at ? part : (parts[i] ?? null))))
  const condition = conditionOf(axes, parts)
  const count = inside.reduce((sum, one) => sum + one, 0)
  return (
    <div className={contentCss.body}>
      <Lines {...{ axes, inside, parts }} colors={lineColors} label={text.label(title, rows.length)} onPart={set} />
      <Group gap="xs" className={css.foot}>
        <span>{text.runs(count, rows.length)}</span>
        <Button size="compact-xs" variant="subtle" aria-expanded={typing} onClick={() => setTyping(!typing)}>
          {text.ranges}
        </Button>
        {condition && (
          <>
            <Button size="compact-xs" variant="subtle" color="gray" onClick={() => setParts([])}>
              {text.clear}
            </Button>
            {onBrush && (
              <Button
                size="compact-xs"
                onClick={() => {
                  setParts([])
                  onBrush(condition)
                }}
              >
                {text.apply}
              </Button>
            )}
          </>
        )}
      </Group>
      <Collapse expanded={typing}>
        <div className={css.ranges}>
          {axes.map((axis, i) => (
            <Ends key={axis.column} axis={axis} part={parts[i] ?? null} onPart={(part) => set(i, part)} />
          ))}
        </div>
      </Collapse>
    </div>
  )
}

/** Fields for the ends of a range. */
function Ends({ axis, part, onPart }: { axis: Axis; part: Part | null; onPart: (part: Part | null) => void }) {
  const text = strings.charts.parallel
  const [low, high] = part ?? [0, 1]
  const change = (at: 0 | 1, position: number) => {
    const next: Part = at === 0 ? [position, Math.max(position, high)] : [Math.min(position, low), position]
    onPart(Number.isNaN(position) || (next[0] <= 0 && next[1] >= 1) ? null : next)
  }
  const { names } = axis
  const end = (at: 0 | 1, label: string) => {
    const position = at === 0 ? low : high
    if (!names)
      return (
        <NumberInput
          size="xs"
          label={label}
          hideControls
          value={Number(valueAt(axis, position).toPrecision(5))}
          onChange={(value) => change(at, value === '' ? at : positionOf(axis, Number(value)))}
        />
      )
    const place = Math.round(position * Math.max(1, names.length - 1))
    return (
      <TextInput
        size="xs"
        label={label}
        key={`${at} ${place}`}
        defaultValue={names[place] ?? ''}
        onBlur={(event) => {
          const found = names.indexOf(event.currentTarget.value)
          if (found >= 0) change(at, names.length > 1 ? found / (names.length - 1) : 0.5)
        }}
      />
    )
  }
  return (
    <>
      {end(0, text.from(axis.title))}
      {end(1, text.to(axis.title))}
    </>
  )
}

interface LinesProps {
  axes: Axis[]
  inside: Uint8Array
  parts: (Part | null)[]
  colors: string[]
  label: string
  onPart: (at: number, part: Part | null) => void
}

function Lines({ axes, inside, parts, colors, label, onPart }: LinesProps) {
  const { ref, width, height } = useSize<HTMLDivElement>()
  const lines = useRef<HTMLCanvasElement>(null)
  const above = useRef<HTMLCanvasElement>(null)
  const theme = useColors()
  const [dragged, setDragged] = useState<{ at: number; part: Part } | null>(null)

  useEffect(() => {
    const context = sized(lines.current!, width, height)
    if (context && width > 0) paintLines(context, axes, inside, colors, theme.text, width, height)
  }, [axes, inside, colors, width, height, theme.text])
  useEffect(() => {
    const context = sized(above.current!, width, height)
    const shown = axes.map((_, i) => (dragged?.at === i ? dragged.part : (parts[i] ?? null)))
    const accent = getComputedStyle(document.documentElement).getPropertyValue('--mantine-primary-color-filled')
    if (context && width > 0) paintAxes(context, axes, shown, theme, accent, width, height)
  }, [axes, parts, dragged, width, height, theme])

  const extent = height - MARGIN.top - MARGIN.bottom
  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    const box = event.currentTarget.getBoundingClientRect()
    const xs = placesOf(axes.length, width)
    const at = xs.findIndex((x) => Math.abs(event.clientX - box.left - x) < 16)
    if (at < 0) return
    const position = (y: number) => Math.max(0, Math.min(1, 1 - (y - box.top - MARGIN.top) / extent))
    const start = position(event.clientY)
    let part: Part | null = null
    const target = event.currentTarget
    target.setPointerCapture(event.pointerId)
    const move = (now: globalThis.PointerEvent) => {
      const end = position(now.clientY)
      part = Math.abs(end - start) * extent < 4 ? null : [Math.min(start, end), Math.max(start, end)]
      setDragged(part && { at, part })
    }
    target.addEventListener('pointermove', move)
    const end = () => {
      target.removeEventListener('pointermove', move)
      setDragged(null)
      onPart(at, part)
    }
    target.addEventListener('pointerup', end, { once: true })
  }
  return (
    <div
      className={`${contentCss.plot} ${css.axes}`}
      ref={ref}
      role="img"
      aria-label={label}
      title={strings.charts.parallel.hint}
      onPointerDown={onPointerDown}
    >
      <canvas ref={lines} className={contentCss.canvas} />
      <canvas ref={above} className={contentCss.canvas} />
    </div>
  )
}

/** Size a canvas in CSS pixels, at the resolution of the screen. */
function sized(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D | null {
  const ratio = window.devicePixelRatio
  canvas.width = Math.round(width * ratio)
  canvas.height = Math.round(height * ratio)
  canvas.style.width = `${width}px`
  canvas.style.height = `${height}px`
  const context = canvas.getContext('2d')
  context?.scale(ratio, ratio)
  return context
}
