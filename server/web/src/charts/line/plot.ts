import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { rowsAt, type Extent, type Hover } from './cursor'
import { drawTraces, type Scale } from './drawTraces'
import { hearPan } from './pan'
import { plotOptions, type PlotOptions } from './plotOptions'
import { xRangeOf, yRangeOf, zoomedRange } from './scales'
import type { Range } from './sync'
import { hearTouch, type Grip } from './touch'
import { nearest, type Trace } from './trace'

/**
 * A line chart. uPlot draws axes, cursor and selection; `drawTraces` draws the lines. All code that runs at each mouse
 * move or frame is here, outside React.
 */
export class Plot {
  private readonly plot: uPlot
  private readonly leave: () => void
  private readonly deafen: () => void
  private lines: Trace[] = []
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
    this.plot = new uPlot(
      plotOptions(width, height, options, { draw: this.draw, cursorMoved: this.cursorMoved }),
      [
        [0, 1],
        [null, null],
      ],
      element,
    )
    this.leave = options.sync.join(options.x, this)
    hearPan(this.plot.over, {
      width: () => this.extent.width,
      grip: this.grip,
      zoomedRange: (factor, about, shift) => zoomedRange(this.scaleOf('x'), factor, about, shift),
      move: (range) => options.sync.move(options.x, range),
      settle: options.onZoom,
    })
    this.plot.over.addEventListener('mouseenter', () => (this.touched = false))
    this.plot.over.addEventListener('mouseleave', () => this.hoverAt(null))
    this.deafen = hearTouch(this.plot.over, {
      shownAt: () =>
        this.hovered && this.touched ? { left: this.plot.cursor.left!, top: this.plot.cursor.top! } : null,
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

  /** Show lines in a range of x; null shows all of x. */
  show(lines: Trace[], range: Range | null): void {
    this.lines = lines
    const x = range ?? xRangeOf(lines, this.options.logX)
    if (!x) return
    const y = yRangeOf(lines, x, this.options.clip, this.options.logY)
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
    if (this.touched) this.leaveHover() // a finger sends no mouseleave
    const left = x === null ? -10 : this.plot.valToPos(x, 'x')
    this.plot.setCursor({ left: left >= 0 && left <= this.extent.width ? left : -10, top: -10 }, false)
  }

  /** Move the cursor by a number of points of the focused line, for the arrow keys. Returns the lines there. */
  step(by: number): Hover | null {
    const line = this.lines.find((one) => one.id === this.focus) ?? this.lines[0]
    const { min, max } = this.plot.scales.x!
    if (!line || min == null || max == null) return null
    const left = this.plot.cursor.left ?? -10
    const inside = left >= 0
    const here = nearest(line.x, inside ? this.plot.posToVal(left, 'x') : by > 0 ? min : max)
    // The first single step only shows the cursor.
    const wanted = Math.max(0, Math.min(line.x.length - 1, here + (inside || Math.abs(by) > 1 ? by : 0)))
    const x = Math.max(min, Math.min(max, line.x[wanted]!))
    const y = Math.max(0, Math.min(this.extent.height, this.plot.valToPos(line.y[nearest(line.x, x)]!, 'y')))
    return this.moveTo({ left: this.plot.valToPos(x, 'x'), top: Number.isFinite(y) ? y : 0 })
  }

  private moveTo(place: { left: number; top: number }, touched = false): Hover | null {
    this.plot.setCursor(place, false)
    return this.hoverAt({ left: this.plot.cursor.left!, top: this.plot.cursor.top! }, touched)
  }

  /** Zoom by a factor around `about` (0 … 1 of the width), and shift by a share of the width. */
  zoomBy(factor: number, about = 0.5, shift = 0): void {
    const range = zoomedRange(this.scaleOf('x'), factor, about, shift)
    if (range) this.options.onZoom(range)
  }

  clearCursor(): void {
    this.plot.setCursor({ left: -10, top: -10 }, false)
    this.hoverAt(null)
  }

  /** The size of the plotting area in CSS pixels. Measuring the element would cost a layout at each mouse move. */
  private get extent(): Extent {
    const { width, height } = this.plot.bbox
    return { width: width / uPlot.pxRatio, height: height / uPlot.pxRatio }
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
    const [xs, ys] = [this.scaleOf('x'), this.scaleOf('y')]
    const rows = xs && ys ? rowsAt(this.lines, at.left, at.top, x, xs, ys, this.extent) : []
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

  /** Bring one line to the front. */
  setFocus(id: string | null): void {
    if (id === this.focus) return
    this.focus = id
    this.plot.redraw(false, false)
  }

  private readonly grip = (): Grip => {
    const { sync, x, onZoom } = this.options
    const start = this.scaleOf('x')
    let range: Range | null = null
    return {
      move: (factor, about, shift) => {
        range = zoomedRange(start, factor, about, shift)
        if (range) sync.move(x, range)
      },
      end: () => range && onZoom(range),
    }
  }
}
