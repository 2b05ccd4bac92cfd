import type uPlot from 'uplot'
import type { Hover } from './cursor'
import type { Range, Sync } from './sync'
import { DURATION_STEPS, durationLabel, logLabels, tickLabels, xKind } from './ticks'

export interface PlotOptions {
  x: string
  logX: boolean
  logY: boolean
  clip: boolean
  colors: { text: string; grid: string }
  sync: Sync
  onHover: (hover: Hover | null) => void
  onZoom: (range: Range | null) => void
  onClick: () => void
}

interface Hooks {
  draw: () => void
  cursorMoved: () => void
}

/** The options of uPlot: scales, axes, and selection by mouse. */
export function plotOptions(width: number, height: number, options: PlotOptions, hooks: Hooks): uPlot.Options {
  const { x, logX, logY, colors, onZoom, onClick } = options
  const kind = xKind(x)
  const line = { stroke: () => colors.grid, width: 1 }
  const axis = { stroke: () => colors.text, ticks: { ...line, size: 4 }, font: '11px system-ui, sans-serif', gap: 4 }
  const values: uPlot.Axis.Values = (_, ticks, __, ___, step) => tickLabels(ticks, step)
  const decades: uPlot.Axis.Values = (_, ticks) => logLabels(ticks)
  const gridOf = (log: boolean): uPlot.Axis.Grid =>
    log
      ? { ...line, filter: (_, ticks) => logLabels(ticks).map((label, i) => (label === null ? null : ticks[i]!)) }
      : line
  return {
    width,
    height,
    legend: { show: false },
    padding: [8, 12, 0, 0],
    series: [{}, { points: { show: false } }],
    scales: {
      x: { time: kind === 'time', distr: logX ? 3 : 1, range: (_, low, high) => [low ?? 0, high ?? 1] },
      y: { distr: logY ? 3 : 1, range: (self) => [self.scales.y!.min ?? (logY ? 0.1 : 0), self.scales.y!.max ?? 1] },
    },
    axes: [
      {
        ...axis,
        grid: gridOf(logX),
        size: 28,
        space: (_, __, ___, ____, extent) => Math.max(60, extent / 12),
        ...(kind === 'time'
          ? {}
          : kind === 'duration' && !logX
            ? {
                incrs: DURATION_STEPS,
                values: (_: uPlot, ticks: number[], __: number, ___: number, step: number) =>
                  ticks.map((tick) => durationLabel(tick, step)),
              }
            : { values: logX ? decades : values }),
      },
      {
        ...axis,
        grid: gridOf(logY),
        space: (_, __, ___, ____, extent) => Math.max(32, extent / 9),
        size: (_, labels) => 14 + 6.5 * Math.max(2, ...(labels ?? []).map((label) => label?.length ?? 0)),
        values: logY ? decades : values,
      },
    ],
    cursor: {
      y: false,
      points: { show: false },
      drag: { x: true, y: false, setScale: false, dist: 4 },
      bind: {
        mousedown: (_, __, handler) => (event) => {
          if (event.button === 0 && !event.shiftKey) handler(event)
          return null
        },
        dblclick: () => null as never,
      },
    },
    hooks: {
      draw: [hooks.draw],
      setCursor: [hooks.cursorMoved],
      setSelect: [
        (self) => {
          const { left, width: extent } = self.select
          if (extent < 4) return
          const range: Range = [self.posToVal(left, 'x'), self.posToVal(left + extent, 'x')]
          self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
          onZoom(range)
        },
      ],
      ready: [
        (self) => {
          let down = 0
          self.over.addEventListener('mousedown', (event) => (down = event.clientX))
          self.over.addEventListener('click', (event) => {
            if (Math.abs(event.clientX - down) < 4) onClick()
          })
        },
      ],
    },
  }
}
