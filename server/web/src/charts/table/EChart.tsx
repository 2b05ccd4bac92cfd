import contentCss from '../panel/Content.module.css'
import type { EChartsCoreOption, EChartsType } from 'echarts/core'
import { useEffect, useRef } from 'react'
import { useSize } from '../useSize'
import { init } from './echarts'

/** Draw an ECharts option. Texts are drawn on the canvas and never become HTML. */
export function EChart({ option, label }: { option: EChartsCoreOption; label: string }) {
  const { ref, width, height } = useSize<HTMLDivElement>()
  const canvas = useRef<HTMLDivElement>(null)
  const chart = useRef<EChartsType | null>(null)
  const there = width > 0 && height > 0
  // biome-ignore lint/correctness/useExhaustiveDependencies: an existing chart is resized below, not created again
  useEffect(() => {
    if (!there) return
    chart.current = init(canvas.current!, null, { width, height })
    return () => {
      chart.current?.dispose()
      chart.current = null
    }
  }, [there])
  useEffect(() => chart.current?.resize({ width, height, silent: true }), [width, height])
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new chart has no option yet
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

/** The common look of all charts: axes like those of line charts, and a plain-text tooltip. */
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
