import contentCss from '../panel/Content.module.css'
import type { EChartsCoreOption, EChartsType } from 'echarts/core'
import { useEffect, useRef } from 'react'
import { useSize } from '../useSize'
import { init } from './echarts'

/** Draws what an option says. Its texts are drawn on the canvas, never made into elements. */
export function EChart({ option, label }: { option: EChartsCoreOption; label: string }) {
  const { ref, width, height } = useSize<HTMLDivElement>()
  const canvas = useRef<HTMLDivElement>(null)
  const chart = useRef<EChartsType | null>(null)
  const there = width > 0 && height > 0
  // biome-ignore lint/correctness/useExhaustiveDependencies: a chart that stands is resized below, not made anew
  useEffect(() => {
    if (!there) return
    chart.current = init(canvas.current!, null, { width, height })
    return () => {
      chart.current?.dispose()
      chart.current = null
    }
  }, [there])
  useEffect(() => chart.current?.resize({ width, height, silent: true }), [width, height])
  // biome-ignore lint/correctness/useExhaustiveDependencies: a chart that was just made has no option yet
  useEffect(() => {
    chart.current?.setOption({ animation: false, ...option }, { notMerge: true })
  }, [option, there])
  return (
    <div className={contentCss.plot} ref={ref} role="img" aria-label={label}>
      <div ref={canvas} className={contentCss.canvas} />
    </div>
  )
}

interface Colors {
  text: string
  strong: string
  grid: string
  panel: string
}

/** What all charts look like: axes as those of line charts, a box with plain text at the pointer. */
export const looks = ({ text, strong, grid, panel }: Colors) => ({
  axis: {
    axisLabel: { color: text, fontSize: 11, hideOverlap: true },
    axisLine: { lineStyle: { color: grid } },
    axisTick: { lineStyle: { color: grid } },
    splitLine: { lineStyle: { color: grid } },
    nameTextStyle: { color: text, fontSize: 11 },
  },
  tooltip: {
    renderMode: 'richText' as const,
    confine: true,
    backgroundColor: panel,
    borderColor: grid,
    textStyle: { color: strong, fontSize: 12 },
  },
})
