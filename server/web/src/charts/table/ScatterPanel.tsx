import contentCss from '../panel/Content.module.css'
import css from './ScatterPanel.module.css'
import { Group } from '@mantine/core'
import { useMemo } from 'react'
import { number, value as shown } from '../../lib/format'
import { palette } from '../../lib/palette'
import { strings } from '../../strings'
import { useColors } from '../useColors'
import type { PanelProps } from '../panel/props'
import { Empty, Loading, Trouble } from '../panel/States'
import { columnTitle, type ScatterSpec } from '../panelSpec'
import { RAMPS } from '../../tokens'
import { EChart, looks } from './EChart'
import { paretoFront } from './pareto'
import { asNumber, isCategorical, useRows, type RunRow } from './runRows'

/** Draw all matching runs by two values, colored by a third. */
export default function ScatterPanel(props: PanelProps & { spec: ScatterSpec }) {
  const { spec, title } = props
  const columns = [spec.x, spec.y, ...(spec.color ? [spec.color] : [])]
  const { rows, error, pending, refetch } = useRows(props, columns)
  const colors = useColors()
  const points = useMemo(() => pointsOf(rows, spec), [rows, spec])
  const option = useMemo(() => optionOf(points, spec, colors), [points, spec, colors])
  const text = strings.charts.scatter
  if (error && !rows.length) return <Trouble error={error} retry={() => void refetch()} />
  if (pending) return <Loading />
  if (!points.all.length) return <Empty>{text.none(columnTitle(spec.x), columnTitle(spec.y))}</Empty>
  return (
    <div className={contentCss.body}>
      {points.categories.length > 0 && (
        <Group gap="xs" px="xs" className={css.legend}>
          {points.categories.map((name, i) => (
            <span key={name}>
              <i style={{ background: categoryColor(i, colors.scheme) }} aria-hidden /> {name}
            </span>
          ))}
        </Group>
      )}
      <EChart option={option} label={text.label(title, points.all.length)} />
      <span className={contentCss.points}>{text.runs(points.all.length, rows.length)}</span>
    </div>
  )
}

interface Point {
  row: RunRow
  x: number
  y: number
  /** The number, or the index of the category; NaN without a value */
  color: number
}

interface Points {
  all: Point[]
  xNames: string[] | null
  yNames: string[] | null
  /** The categories, if the color is by text */
  categories: string[]
  front: Point[]
}

function pointsOf(rows: RunRow[], spec: ScatterSpec): Points {
  const axes = [0, 1, 2].map((at) => positions(rows.map((row) => row.values[at] ?? null)))
  const [x, y, color] = axes as [Positions, Positions, Positions]
  const usable = (value: number, log?: boolean) => Number.isFinite(value) && !(log && value <= 0)
  const all = rows
    .map((row, i) => ({ row, x: x.at[i]!, y: y.at[i]!, color: color.at[i]! }))
    .filter((point) => usable(point.x, spec.logX && !x.names) && usable(point.y, spec.logY && !y.names))
  const front = spec.pareto ? paretoFront(all, spec.pareto).map((i) => all[i]!) : []
  return { all, xNames: x.names, yNames: y.names, categories: spec.color ? (color.names ?? []) : [], front }
}

interface Positions {
  at: number[]
  names: string[] | null
}

function positions(values: unknown[]): Positions {
  if (!isCategorical(values)) return { at: values.map(asNumber), names: null }
  const names = [...new Set(values.filter((value) => value !== null).map(String))].sort()
  const places = new Map(names.map((name, i) => [name, i]))
  return { at: values.map((value) => (value === null ? NaN : places.get(String(value))!)), names }
}

const categoryColor = (at: number, scheme: 'light' | 'dark'): string => palette(scheme)[at % palette(scheme).length]!

function optionOf(
  { all, xNames, yNames, categories, front }: Points,
  spec: ScatterSpec,
  colors: ReturnType<typeof useColors>,
) {
  const { axis, tooltip } = looks(colors)
  const numeric = spec.color !== undefined && !categories.length
  const hues = all.map((point) => point.color).filter(Number.isFinite)
  const axisOf = (name: string, names: string[] | null, log: boolean | undefined) => ({
    ...axis,
    name: columnTitle(name),
    nameLocation: 'middle' as const,
    scale: true,
    ...(names ? { type: 'category' as const, data: names } : { type: log ? ('log' as const) : ('value' as const) }),
    axisLabel: { ...axis.axisLabel, ...(!names && { formatter: (tick: number) => number(tick) }) },
  })
  return {
    grid: { left: 28, right: numeric ? 80 : 16, top: 12, bottom: 24, containLabel: true },
    tooltip: {
      ...tooltip,
      formatter: ({ seriesIndex, dataIndex }: { seriesIndex: number; dataIndex: number }) => {
        const point = seriesIndex === 0 ? all[dataIndex] : front[dataIndex]
        if (!point) return ''
        const names = [spec.x, spec.y, spec.color]
        return [
          point.row.name,
          ...point.row.values.map((value, i) => `${columnTitle(names[i]!)}: ${shown(value)}`),
        ].join('\n')
      },
    },
    ...(numeric &&
      hues.length > 0 && {
        visualMap: {
          type: 'continuous' as const,
          seriesIndex: 0,
          dimension: 2,
          min: hues.reduce((a, b) => Math.min(a, b)),
          max: hues.reduce((a, b) => Math.max(a, b)),
          inRange: { color: RAMPS[colors.scheme] },
          outOfRange: { color: colors.text },
          text: [columnTitle(spec.color!), ''],
          formatter: (value: number) => number(value, 3),
          textStyle: { color: colors.text, fontSize: 11 },
          right: 4,
          top: 'middle' as const,
          itemHeight: 100,
          itemWidth: 12,
          calculable: true,
        },
      }),
    xAxis: { ...axisOf(spec.x, xNames, spec.logX), nameGap: 24 },
    yAxis: { ...axisOf(spec.y, yNames, spec.logY), nameGap: 44 },
    series: [
      {
        type: 'scatter' as const,
        symbolSize: all.length > 500 ? 6 : 9,
        data: all.map((point) => ({
          value: [point.x, point.y, point.color],
          ...(!numeric && {
            itemStyle: {
              color:
                categories.length && Number.isFinite(point.color)
                  ? categoryColor(point.color, colors.scheme)
                  : categories.length
                    ? colors.text
                    : point.row.color,
            },
          }),
        })),
      },
      ...(front.length
        ? [
            {
              type: 'line' as const,
              // A staircase of the best y for each x. If small x is better, it steps after each point.
              step: spec.pareto!.startsWith('min') ? ('end' as const) : ('start' as const),
              symbol: 'circle',
              symbolSize: 11,
              itemStyle: { color: 'transparent', borderColor: colors.strong, borderWidth: 1.5 },
              lineStyle: { color: colors.strong, width: 1.5, type: 'dashed' as const },
              data: front.map((point) => [point.x, point.y]),
              z: 3,
            },
          ]
        : []),
    ],
  }
}
