import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { drawTraces, mapper, type Scale } from './drawTraces'
import type { Range, Sync } from './sync'
import { DURATION_STEPS, durationLabel, logLabels, tickLabels, xKind } from './ticks'
import { hearTouch, type Grip } from './touch'
import { apart, extentOf, nearest, yExtent, type Numbers, type Trace } from './trace'

/** One line at the cursor. `distance`: pixels between its point and the cursor, vertically. */
export interface Row {
  trace: Trace
  index: number
  distance: number
}

/**
 * The lines at the cursor, the nearest first; where that is, in pixels of the plotting area, and the x of the nearest.
 * `touched`: a finger put the cursor there.
 */
export interface Hover {
  left: number
  top: number
  x: number
  rows: Row[]
  touched: boolean
}

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

/** A point further from the cursor than this along x is not under it. */
const REACH = 40

/**
 * A line chart: axes, cursor and selection are uPlot's, the lines are drawn by `drawTraces`. Everything that happens at
 * every mouse move or frame is in here, outside React.
 */
export class Plot {
  private readonly plot: uPlot
  private readonly leave: () => void
  private readonly deafen: () => void
  private lines: Trace[] = []
  private range: Range | null = null
  private focus: string | null = null
  private quick = false
  private hovered = false
  private touched = false

  constructor(
    element: HTMLElement,
    width: number,
    height: number,
    private readonly options: PlotOptions,
  ) {
    this.plot = new uPlot(this.uplotOptions(width, height), [[0, 1], [null, null]], element)
    this.leave = options.sync.join(options.x, this)
    this.plot.over.addEventListener('mousedown', this.startPan)
    this.plot.over.addEventListener('wheel', this.onWheel, { passive: false })
    this.plot.over.addEventListener('mouseenter', () => (this.touched = false))
    this.plot.over.addEventListener('mouseleave', () => this.hoverAt(null))
    this.deafen = hearTouch(this.plot.over, {
      shownAt: () => (this.hovered && this.touched ? { left: this.plot.cursor.left!, top: this.plot.cursor.top! } : null),
      pointTo: (place) => this.moveTo(place, true),
      keep: options.onClick,
      clear: () => this.clearCursor(),
      grip: this.grip,
    })
  }

  destroy(): void {
    this.leave()
    this.deafen()
    this.plot.destroy()
  }

  resize(width: number, height: number): void {
    if (width !== this.plot.width || height !== this.plot.height) this.plot.setSize({ width, height })
  }

  /** Show these lines; between two x, or all of them. */
  show(lines: Trace[], range: Range | null): void {
    this.lines = lines
    this.range = range
    const x = this.xRange()
    if (!x) return
    const y = this.yRange(x)
    this.quick = false
    this.plot.batch(() => {
      this.plot.setScale('x', { min: x[0], max: x[1] })
      this.plot.setScale('y', { min: y[0], max: y[1] })
      this.plot.redraw(false)
    })
  }

  follow(range: Range): void {
    this.quick = true
    this.plot.setScale('x', { min: range[0], max: range[1] })
  }

  pointAt(x: number | null): void {
    if (this.touched) this.leaveHover() // no mouse leaves where a finger was
    const left = x === null ? -10 : this.plot.valToPos(x, 'x')
    this.plot.setCursor({ left: left >= 0 && left <= this.extent.width ? left : -10, top: -10 }, false)
  }

  /** Move the cursor by so many points of the line at hand, as the arrow keys do. Returns what is there. */
  step(by: number): Hover | null {
    const line = this.lines.find((one) => one.id === this.focus) ?? this.lines[0]
    const { min, max } = this.plot.scales.x!
    if (!line || min == null || max == null) return null
    const left = this.plot.cursor.left ?? -10
    const inside = left >= 0
    const here = nearest(line.x, inside ? this.plot.posToVal(left, 'x') : by > 0 ? min : max)
    // A first step of one only brings the cursor in.
    const wanted = Math.max(0, Math.min(line.x.length - 1, here + (inside || Math.abs(by) > 1 ? by : 0)))
    const x = Math.max(min, Math.min(max, line.x[wanted]!))
    const y = Math.max(0, Math.min(this.extent.height, this.plot.valToPos(line.y[nearest(line.x, x)]!, 'y')))
    return this.moveTo({ left: this.plot.valToPos(x, 'x'), top: Number.isFinite(y) ? y : 0 })
  }

  private moveTo(place: { left: number; top: number }, touched = false): Hover | null {
    this.plot.setCursor(place, false)
    return this.hoverAt({ left: this.plot.cursor.left!, top: this.plot.cursor.top! }, touched)
  }

  /** Zoom by a factor about a place (0 … 1 of the width), or move by a share of the width. */
  zoomBy(factor: number, about = 0.5, shift = 0): void {
    const range = this.scaled(factor, about, shift)
    if (range) this.options.onZoom(range)
  }

  clearCursor(): void {
    this.plot.setCursor({ left: -10, top: -10 }, false)
    this.hoverAt(null)
  }

  /** Of the plotting area in CSS pixels. Asking the element for it would lay out the page anew at each mouse move. */
  private get extent(): { width: number; height: number } {
    const { width, height } = this.plot.bbox
    return { width: width / uPlot.pxRatio, height: height / uPlot.pxRatio }
  }

  private xRange(): Range | null {
    if (this.range) return this.range
    const extent = extentOf(this.lines)
    if (!extent) return null
    let [low, high] = extent
    if (this.options.logX) {
      if (low <= 0) low = Math.min(...this.lines.map((line) => line.x.find((x) => x > 0) ?? Infinity), high)
      if (!(high > 0)) return null
      return low < high ? [low, high] : [low / 2, high * 2]
    }
    if (!apart(low, high)) {
      const pad = Math.max(1, Math.abs(low) * 1e-9)
      return [low - pad, high + pad]
    }
    return [low, high]
  }

  private yRange(x: Range): Range {
    const extent = yExtent(this.lines, x, this.options.clip, this.options.logY)
    if (!extent) return this.options.logY ? [0.1, 1] : [0, 1]
    const [low, high] = extent
    if (this.options.logY) {
      const pad = apart(low, high) ? (high / low) ** 0.05 : 2
      return [low / pad, high * pad]
    }
    const pad = apart(low, high) ? (high - low) * 0.06 : Math.abs(low) * 0.1 || 1
    return [low - pad, high + pad]
  }

  private readonly draw = (): void => {
    const { ctx, bbox } = this.plot
    const x = this.scaleOf('x')
    const y = this.scaleOf('y')
    if (x && y) drawTraces(ctx, this.lines, bbox, x, y, uPlot.pxRatio, this.focus, this.quick)
  }

  private scaleOf(key: 'x' | 'y'): Scale | null {
    const { min, max } = this.plot.scales[key]!
    return min == null || max == null ? null : { min, max, log: key === 'x' ? this.options.logX : this.options.logY }
  }

  private readonly cursorMoved = (): void => {
    const { left, top } = this.plot.cursor
    this.hoverAt(left == null || top == null || left < 0 || top < 0 ? null : { left, top }, this.touched)
  }

  private hoverAt(at: { left: number; top: number } | null, touched = false): Hover | null {
    const { sync, x: name, onHover } = this.options
    if (!at) {
      if (this.leaveHover()) sync.pointAt(name, null, this)
      return null
    }
    this.touched = touched
    this.hovered = true
    const x = this.plot.posToVal(at.left, 'x')
    const rows = this.rowsAt(at.left, at.top, x)
    const hover = { ...at, x: rows.length ? rows[0]!.trace.x[rows[0]!.index]! : x, rows, touched }
    sync.pointAt(name, x, this)
    onHover(hover)
    return hover
  }

  private leaveHover(): boolean {
    const was = this.hovered
    this.hovered = this.touched = false
    if (was) {
      this.setFocus(null)
      this.options.onHover(null)
    }
    return was
  }

  private rowsAt(left: number, top: number, at: number): Row[] {
    const [xs, ys] = [this.scaleOf('x'), this.scaleOf('y')]
    if (!xs || !ys) return []
    const { width, height } = this.extent
    const toX = mapper(xs, 0, width)
    const toY = mapper(ys, height, -height)
    const rows: Row[] = []
    let [lastX, lastIndex]: [Numbers | null, number] = [null, 0]
    for (const trace of this.lines) {
      const index: number = trace.x === lastX ? lastIndex : nearest(trace.x, at)
      ;[lastX, lastIndex] = [trace.x, index]
      if (Math.abs(toX(trace.x[index]!) - left) > REACH) continue
      const distance = Math.abs(toY(trace.y[index]!) - top)
      rows.push({ trace, index, distance: Number.isNaN(distance) ? Infinity : distance })
    }
    return rows.sort((a, b) => a.distance - b.distance)
  }

  /** Bring one line to the front. */
  setFocus(id: string | null): void {
    if (id === this.focus) return
    this.focus = id
    this.plot.redraw(false, false)
  }

  private scaled(factor: number, about: number, shift: number, scale = this.scaleOf('x')): Range | null {
    if (!scale) return null
    const forth = scale.log ? Math.log10 : (value: number) => value
    const back = scale.log ? (value: number) => 10 ** value : (value: number) => value
    const [low, high] = [forth(scale.min), forth(scale.max)]
    const extent = (high - low) * factor
    const start = low + (high - low) * about - extent * about + (high - low) * shift
    const range: Range = [back(start), back(start + extent)]
    return apart(...range) ? range : null
  }

  private settle = 0

  private readonly grip = (): Grip => {
    const { sync, x, onZoom } = this.options
    const start = this.scaleOf('x')
    let range: Range | null = null
    return {
      move: (factor, about, shift) => {
        range = this.scaled(factor, about, shift, start)
        if (range) sync.move(x, range)
      },
      end: () => range && onZoom(range),
    }
  }

  private readonly startPan = (event: MouseEvent): void => {
    if (!(event.shiftKey || event.button === 1)) return
    event.preventDefault()
    const from = event.clientX
    const grip = this.grip()
    const move = (now: MouseEvent) => grip.move(1, 0, (from - now.clientX) / this.extent.width)
    const end = () => {
      window.removeEventListener('mousemove', move)
      window.removeEventListener('mouseup', end)
      grip.end()
    }
    window.addEventListener('mousemove', move)
    window.addEventListener('mouseup', end)
  }

  /** With Ctrl the wheel zooms, sideways it moves; otherwise it scrolls the page, as everywhere. */
  private readonly onWheel = (event: WheelEvent): void => {
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY)
    if (!event.ctrlKey && !sideways) return
    event.preventDefault()
    const about = (event.clientX - this.plot.over.getBoundingClientRect().left) / this.extent.width
    const range = event.ctrlKey
      ? this.scaled(Math.exp(event.deltaY / 300), about, 0)
      : this.scaled(1, 0, event.deltaX / this.extent.width)
    if (!range) return
    this.options.sync.move(this.options.x, range)
    clearTimeout(this.settle)
    this.settle = window.setTimeout(() => this.options.onZoom(range), 200)
  }

  private uplotOptions(width: number, height: number): uPlot.Options {
    const { x, logX, logY, colors, onZoom } = this.options
    const kind = xKind(x)
    const line = { stroke: () => colors.grid, width: 1 }
    const axis = { stroke: () => colors.text, ticks: { ...line, size: 4 }, font: '11px system-ui, sans-serif', gap: 4 }
    const values: uPlot.Axis.Values = (_, ticks, __, ___, step) => tickLabels(ticks, step)
    const decades: uPlot.Axis.Values = (_, ticks) => logLabels(ticks)
    const gridOf = (log: boolean): uPlot.Axis.Grid =>
      log ? { ...line, filter: (_, ticks) => logLabels(ticks).map((label, i) => (label === null ? null : ticks[i]!)) } : line
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
              ? { incrs: DURATION_STEPS, values: (_: uPlot, ticks: number[], __: number, ___: number, step: number) => ticks.map((tick) => durationLabel(tick, step)) }
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
        draw: [this.draw],
        setCursor: [this.cursorMoved],
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
              if (Math.abs(event.clientX - down) < 4) this.options.onClick()
            })
          },
        ],
      },
    }
  }
}
