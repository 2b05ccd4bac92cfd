import css from './Heatmap.module.css'
import galleryCss from './Gallery.module.css'
import { useEffect, useMemo, useRef, useState, type MouseEvent } from 'react'
import { number } from '../../lib/format'
import { HEAT } from '../../tokens'
import { strings } from '../../strings'
import { useColors } from '../useColors'
import { useSize } from '../useSize'
import { Swatch } from '../line/Values'
import { shadeAt } from '../colorRamp'
import { columnsOf, edgesOf, extentsOf, type Column } from './histogramColumns'
import type { ViewProps } from './props'

/** Show histograms over steps: one heatmap per run, all with the same y axis and colors. */
export default function Heatmap({ title, found }: ViewProps) {
  const runs = useMemo(() => found.map(({ run, items }) => ({ run, columns: columnsOf(items) })), [found])
  const extents = useMemo(() => extentsOf(runs.map((one) => one.columns)), [runs])
  return (
    <div className={css.heatmaps}>
      {runs.map(({ run, columns }) => (
        <section key={run.path} className={css.heatmap} aria-label={run.name}>
          <div className={galleryCss.name}>
            <Swatch stroke={run.stroke} />
            <span>{run.name}</span>
          </div>
          <OneMap label={strings.charts.media.heatmap(title, run.name, columns.length)} {...{ columns, extents }} />
        </section>
      ))}
    </div>
  )
}

interface OneMapProps {
  label: string
  columns: Column[]
  extents: ReturnType<typeof extentsOf>
}

function OneMap({ label, columns, extents: { low, high, most } }: OneMapProps) {
  const { ref, width, height } = useSize<HTMLDivElement>()
  const canvas = useRef<HTMLCanvasElement>(null)
  const { scheme, panel } = useColors()
  const [said, setSaid] = useState('')
  const edges = useMemo(() => edgesOf(columns), [columns])
  useEffect(() => {
    const element = canvas.current!
    const ratio = window.devicePixelRatio
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)]
    if (!w || !h) return
    element.width = w
    element.height = h
    const context = element.getContext('2d')!
    // The scale begins at the background, so that empty and nearly empty bins look alike.
    const shades = [panel, ...HEAT[scheme]]
    columns.forEach(({ bins, density }, i) => {
      const left = Math.round(edges[i]![0] * w)
      const right = Math.max(left + 1, Math.round(edges[i]![1] * w))
      density.forEach((one, bin) => {
        if (!one) return
        const top = Math.round((1 - (bins[bin + 1]! - low) / (high - low)) * h)
        const bottom = Math.max(top + 1, Math.round((1 - (bins[bin]! - low) / (high - low)) * h))
        context.fillStyle = shadeAt(shades, Math.sqrt(one / most))
        context.fillRect(left, top, right - left, bottom - top)
      })
    })
  }, [columns, edges, low, high, most, width, height, scheme, panel])
  const onMouseMove = (event: MouseEvent) => {
    const box = event.currentTarget.getBoundingClientRect()
    const x = (event.clientX - box.left) / box.width
    const y = low + (1 - (event.clientY - box.top) / box.height) * (high - low)
    const column = columns[edges.findIndex(([left, right]) => x >= left && x < right)]
    const bin = column?.bins.findIndex((edge, i) => y >= edge && y < (column.bins[i + 1] ?? -Infinity)) ?? -1
    setSaid(
      !column
        ? ''
        : strings.charts.media.bin(
            column.step,
            number(column.bins[bin] ?? y),
            number(column.bins[bin + 1] ?? y),
            column.counts[bin] ?? 0,
          ),
    )
  }
  return (
    <>
      <div className={css.frame}>
        <span>{number(high, 3)}</span>
        <span>{number(low, 3)}</span>
        <div ref={ref} role="img" aria-label={label} onMouseMove={onMouseMove} onMouseLeave={() => setSaid('')}>
          <canvas ref={canvas} />
        </div>
      </div>
      <div className={css.foot}>
        {said || (
          <>
            <span>{columns[0] && number(columns[0].step)}</span>
            <span>{columns.length > 1 && number(columns[columns.length - 1]!.step)}</span>
          </>
        )}
      </div>
    </>
  )
}
