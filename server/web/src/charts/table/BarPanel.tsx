import contentCss from '../panel/Content.module.css'
import { useMemo } from 'react'
import { number } from '../../lib/format'
import { strings } from '../../strings'
import { useColors } from '../useColors'
import type { PanelProps } from '../panel/props'
import { Empty, Loading, Trouble } from '../panel/States'
import { columnTitle, type BarSpec } from '../panelSpec'
import { EChart, looks } from './EChart'
import { asNumber, useRows, type RunRow } from './runRows'

interface Bar {
  name: string
  color: string
  value: number
  note: string
}

/** Draw a bar for each run, or for each group the mean of its runs. */
export default function BarPanel(props: PanelProps & { spec: BarSpec }) {
  const { spec, title, runs, groups } = props
  const grouped = groups.length > 0
  const ids = useMemo(
    () => (grouped ? groups.flatMap((group) => group.runs.map(idOf)) : runs.map((run) => run.id)),
    [grouped, groups, runs],
  )
  const { rows, error, pending, refetch } = useRows(props, [spec.column], ids)
  const colors = useColors()
  const bars = useMemo(() => {
    const byId = new Map(rows.map((row) => [row.id, row]))
    const found: Bar[] = grouped
      ? groups.map((group) => ({
          name: group.name,
          color: group.stroke.color,
          ...mean(group.runs.map((path) => byId.get(idOf(path)))),
        }))
      : runs.flatMap((run) => {
          const row = byId.get(run.id)
          return row ? [{ name: run.name, color: run.stroke.color, value: asNumber(row.values[0]), note: '' }] : []
        })
    return found.filter((bar) => Number.isFinite(bar.value))
  }, [rows, runs, grouped, groups])
  const option = useMemo(() => optionOf(bars, colors), [bars, colors])
  if (error && !rows.length) return <Trouble error={error} retry={() => void refetch()} />
  if (pending) return <Loading />
  if (!bars.length) return <Empty>{strings.charts.empty.column(columnTitle(spec.column))}</Empty>
  return (
    <div className={contentCss.body}>
      <EChart
        option={option}
        label={strings.charts.bar.label(title, bars.map((bar) => `${bar.name} ${number(bar.value)}`).join(', '))}
      />
    </div>
  )
}

const idOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

function mean(rows: (RunRow | undefined)[]): Pick<Bar, 'value' | 'note'> {
  const values = rows.map((row) => asNumber(row?.values[0])).filter(Number.isFinite)
  const value = values.reduce((sum, one) => sum + one, 0) / values.length
  return {
    value,
    note: values.length
      ? strings.charts.bar.group(values.length, number(Math.min(...values)), number(Math.max(...values)))
      : '',
  }
}

function optionOf(bars: Bar[], colors: ReturnType<typeof useColors>) {
  const { axis, tooltip } = looks(colors)
  return {
    grid: { left: 8, right: 60, top: 8, bottom: 8, outerBoundsMode: 'same' as const, containLabel: true },
    tooltip: {
      ...tooltip,
      formatter: ({ dataIndex }: { dataIndex: number }) => {
        const { name, value, note } = bars[dataIndex]!
        return [`${name}: ${number(value, 6)}`, note].filter(Boolean).join('\n')
      },
    },
    xAxis: {
      type: 'value' as const,
      ...axis,
      axisLabel: { ...axis.axisLabel, formatter: (value: number) => number(value) },
    },
    yAxis: {
      type: 'category' as const,
      inverse: true,
      data: bars.map((bar) => bar.name),
      ...axis,
      axisLabel: { ...axis.axisLabel, width: 130, overflow: 'truncate' as const },
    },
    series: [
      {
        type: 'bar' as const,
        barMaxWidth: 22,
        data: bars.map((bar) => ({ value: bar.value, itemStyle: { color: bar.color } })),
        label: {
          show: true,
          position: 'right' as const,
          color: colors.text,
          fontSize: 11,
          formatter: ({ dataIndex }: { dataIndex: number }) => number(bars[dataIndex]!.value),
        },
      },
    ],
  }
}
