import { type Axis, type Part, labelsOf } from './axes'

export const MARGIN = { top: 28, bottom: 12, side: 48 }

interface Colors {
  text: string
  strong: string
  grid: string
  panel: string
}

/** Positions of the axes, in pixels. */
export const placesOf = (count: number, width: number): number[] =>
  Array.from({ length: count }, (_, i) => MARGIN.side + (count > 1 ? (i * (width - 2 * MARGIN.side)) / (count - 1) : 0))

/**
 * Draw one line per run; runs outside the selected ranges are faint and drawn first. Lines of one color are one path,
 * since changing the color costs more than the line. `left` says which runs are inside.
 */
export function paintLines(
  context: CanvasRenderingContext2D,
  axes: Axis[],
  inside: Uint8Array,
  colors: string[],
  faint: string,
  width: number,
  height: number,
): void {
  const xs = placesOf(axes.length, width)
  const extent = height - MARGIN.top - MARGIN.bottom
  const count = inside.length
  context.clearRect(0, 0, width, height)
  context.lineWidth = 1
  const byColor = new Map<string, number[]>([[faint, []]])
  for (let run = 0; run < count; run++) {
    const color = inside[run] ? colors[run]! : faint
    const list = byColor.get(color)
    if (list) list.push(run)
    else byColor.set(color, [run])
  }
  // With many lines, each is more transparent, so that dense regions stand out.
  const alpha = Math.max(0.12, Math.min(0.9, 60 / Math.sqrt(count) / 10))
  for (const [color, list] of byColor) {
    context.strokeStyle = color
    context.globalAlpha = color === faint ? Math.min(0.25, alpha) : alpha
    // Split long paths: the browser checks a whole path for crossings with itself.
    for (let from = 0; from < list.length; from += 20) {
      context.beginPath()
      for (const run of list.slice(from, from + 20)) {
        let drawing = false
        for (let i = 0; i < axes.length; i++) {
          const at = axes[i]!.at[run]!
          if (Number.isNaN(at)) {
            drawing = false
            continue
          }
          const y = MARGIN.top + (1 - at) * extent
          if (drawing) context.lineTo(xs[i]!, y)
          else context.moveTo(xs[i]!, y)
          drawing = true
        }
      }
      context.stroke()
    }
  }
  context.globalAlpha = 1
}

export function paintAxes(
  context: CanvasRenderingContext2D,
  axes: Axis[],
  parts: (Part | null)[],
  { text, strong, panel, grid }: Colors,
  accent: string,
  width: number,
  height: number,
): void {
  const xs = placesOf(axes.length, width)
  const extent = height - MARGIN.top - MARGIN.bottom
  const room = axes.length > 1 ? xs[1]! - xs[0]! - 8 : width
  context.clearRect(0, 0, width, height)
  axes.forEach((axis, i) => {
    const x = xs[i]!
    context.fillStyle = text
    context.fillRect(x - 0.5, MARGIN.top, 1, extent)
    context.textAlign = 'center'
    context.font = '600 11px system-ui, sans-serif'
    context.fillStyle = strong
    context.fillText(fitted(context, axis.title, room), x, 14)
    context.font = '11px system-ui, sans-serif'
    context.textAlign = 'left'
    context.lineWidth = 3
    context.strokeStyle = panel
    for (const { at, text: label } of labelsOf(axis, extent)) {
      const y = MARGIN.top + (1 - at) * extent
      context.fillStyle = grid
      context.fillRect(x - 3, y - 0.5, 6, 1)
      context.fillStyle = text
      const short = fitted(context, label, i < axes.length - 1 ? room : MARGIN.side - 6)
      // Place labels above the tick, since most lines meet the axis at it.
      context.strokeText(short, x + 6, y - 3)
      context.fillText(short, x + 6, y - 3)
    }
    const part = parts[i]
    if (!part) return
    const top = MARGIN.top + (1 - part[1]) * extent
    context.fillStyle = accent
    context.globalAlpha = 0.3
    context.fillRect(x - 7, top, 14, Math.max(2, (part[1] - part[0]) * extent))
    context.globalAlpha = 1
    context.strokeStyle = accent
    context.lineWidth = 1.5
    context.strokeRect(x - 7, top, 14, Math.max(2, (part[1] - part[0]) * extent))
  })
}

function fitted(context: CanvasRenderingContext2D, text: string, room: number): string {
  if (context.measureText(text).width <= room) return text
  let end = text.length
  while (end > 1 && context.measureText(`${text.slice(0, end)}…`).width > room) end--
  return `${text.slice(0, end)}…`
}
