import { lowerBound, type Numbers, type Trace } from './trace'

/** The plotting area in canvas pixels. */
export interface Box {
  left: number
  top: number
  width: number
  height: number
}

/** The range of an axis. */
export interface Scale {
  min: number
  max: number
  log: boolean
}

/** With more entries, lines are one pixel wide: without a GPU, wider ones take six times as long. */
const THIN_FROM = 3000

/**
 * Draw lines on uPlot's canvas, each with its own x: merging the steps of many runs into uPlot's one shared x costs
 * more than all drawing. `quick` is for frames of an animation: plain lines one pixel wide, since wide, dashed and
 * filled ones take ten times as long without a GPU.
 */
export function drawTraces(
  context: CanvasRenderingContext2D,
  lines: Trace[],
  box: Box,
  x: Scale,
  y: Scale,
  ratio: number,
  focus: string | null,
  quick: boolean,
): void {
  const toX = mapper(x, box.left, box.width)
  const toY = mapper(y, box.top + box.height, -box.height)
  // The state is saved and restored, or our strokes would leak into the grid.
  context.save()
  context.beginPath()
  context.rect(box.left, box.top, box.width, box.height)
  context.clip()
  context.lineJoin = 'bevel' // round joins cost twice as much and look the same at this width
  const entries = lines.reduce((sum, line) => sum + line.x.length, 0)
  const usual = entries > THIN_FROM ? 1 : 1.5
  const pen: Pen = { context, toX, toY, top: box.top - box.height, bottom: box.top + 2 * box.height, width: box.width }
  for (const line of lines) {
    const start = Math.max(0, lowerBound(line.x, x.min) - 1)
    const stop = Math.min(line.x.length, lowerBound(line.x, x.max) + 2)
    if (start >= stop) continue
    const faded = focus !== null && focus !== line.id
    context.strokeStyle = line.stroke.color
    context.fillStyle = line.stroke.color
    const strength = faded ? 0.25 : 1
    if (quick) {
      context.lineWidth = 1
      sketch(pen, line.x, line.y, start, stop)
      continue
    }
    if (line.low && line.high) {
      context.globalAlpha = 0.16 * strength
      area(pen, line.x, line.low, line.high, start, stop)
      if (!line.band) {
        context.globalAlpha = (lines.length > 4 ? 0.2 : 0.4) * strength
        context.lineWidth = 0.75 * ratio
        polyline(pen, line.x, line.low, start, stop)
        polyline(pen, line.x, line.high, start, stop)
      }
    }
    if (line.raw) {
      context.globalAlpha = 0.28 * strength
      context.lineWidth = ratio
      polyline(pen, line.x, line.raw, start, stop)
    }
    context.globalAlpha = strength
    context.lineWidth = (focus === line.id ? 2.5 : usual) * ratio
    context.setLineDash(line.stroke.dash.map((length) => length * ratio))
    polyline(pen, line.x, line.y, start, stop, 2.5 * ratio)
    context.setLineDash([])
  }
  context.restore()
}

interface Pen {
  context: CanvasRenderingContext2D
  toX: (value: number) => number
  toY: (value: number) => number
  /** Limits for y: what lies beyond is invisible, and canvases fail far beyond */
  top: number
  bottom: number
  width: number
}

export function mapper({ min, max, log }: Scale, origin: number, extent: number): (value: number) => number {
  if (log) {
    const low = Math.log10(min)
    const factor = extent / (Math.log10(max) - low)
    return (value) => (value > 0 ? origin + (Math.log10(value) - low) * factor : NaN)
  }
  const factor = extent / (max - min)
  return (value) => origin + (value - min) * factor
}

/** Stroke a line, with gaps where y is NaN; an isolated point becomes a dot of radius `dot`. */
function polyline(pen: Pen, x: Numbers, y: Numbers, start: number, stop: number, dot = 0): void {
  const { context, toX, toY, top, bottom } = pen
  if (stop - start > 4 * pen.width) {
    columns(pen, x, y, start, stop)
    return
  }
  const alone: [number, number][] = []
  let length = 0
  let [lastX, lastY] = [0, 0]
  context.beginPath()
  for (let i = start; i < stop; i++) {
    const py = Math.min(bottom, Math.max(top, toY(y[i]!)))
    const px = toX(x[i]!)
    if (Number.isNaN(py) || Number.isNaN(px)) {
      if (length === 1) alone.push([lastX, lastY])
      length = 0
      continue
    }
    if (length++) context.lineTo(px, py)
    else context.moveTo(px, py)
    lastX = px
    lastY = py
  }
  context.stroke()
  if (length === 1) alone.push([lastX, lastY])
  if (!dot) return
  for (const [px, py] of alone) {
    context.beginPath()
    context.arc(px, py, dot, 0, 2 * Math.PI)
    context.fill()
  }
}

/** Stroke about one point per two pixels, always the same points, so that a moving line does not flicker. */
function sketch(
  { context, toX, toY, top, bottom, width }: Pen,
  x: Numbers,
  y: Numbers,
  start: number,
  stop: number,
): void {
  const stride = Math.max(1, Math.floor((2 * (stop - start)) / width))
  let drawing = false
  context.beginPath()
  for (let i = start - (start % stride); i < stop; i += stride) {
    const py = Math.min(bottom, Math.max(top, toY(y[i]!)))
    const px = toX(x[i]!)
    if (Number.isNaN(py) || Number.isNaN(px)) drawing = false
    else if (drawing) context.lineTo(px, py)
    else {
      context.moveTo(px, py)
      drawing = true
    }
  }
  context.stroke()
}

/** Stroke a line with many points per pixel: from the lowest to the highest point in each pixel column. */
function columns({ context, toX, toY, top, bottom }: Pen, x: Numbers, y: Numbers, start: number, stop: number): void {
  let [column, low, high, last] = [NaN, 0, 0, 0]
  context.beginPath()
  for (let i = start; i < stop; i++) {
    const py = Math.min(bottom, Math.max(top, toY(y[i]!)))
    const px = Math.round(toX(x[i]!))
    if (Number.isNaN(py) || Number.isNaN(px)) continue
    if (px !== column) {
      if (!Number.isNaN(column)) {
        context.lineTo(column, low)
        context.lineTo(column, high)
        context.lineTo(column, last)
      }
      column = px
      low = high = py
      context.lineTo(px, py)
    }
    if (py < low) low = py
    if (py > high) high = py
    last = py
  }
  context.lineTo(column, low)
  context.lineTo(column, high)
  context.stroke()
}

/** Fill the area between two lines, with gaps where either is NaN. */
function area(
  { context, toX, toY, top, bottom }: Pen,
  x: Numbers,
  low: Numbers,
  high: Numbers,
  start: number,
  stop: number,
): void {
  const clamped = (value: number) => Math.min(bottom, Math.max(top, toY(value)))
  // On a log axis, values of zero or below are drawn at the lower edge.
  const lower = (value: number) => (Number.isNaN(value) ? NaN : Number.isNaN(toY(value)) ? bottom : clamped(value))
  let i = start
  context.beginPath()
  while (i < stop) {
    while (i < stop && (Number.isNaN(clamped(high[i]!)) || Number.isNaN(lower(low[i]!)))) i++
    const first = i
    for (; i < stop; i++) {
      const py = clamped(high[i]!)
      if (Number.isNaN(py) || Number.isNaN(low[i]!)) break
      if (i === first) context.moveTo(toX(x[i]!), py)
      else context.lineTo(toX(x[i]!), py)
    }
    for (let j = i - 1; j >= first; j--) context.lineTo(toX(x[j]!), lower(low[j]!))
    if (i > first) context.closePath()
    else i++
  }
  context.fill()
}
