import contentCss from '../panel/Content.module.css'
import { useQueries } from '@tanstack/react-query'
import { useMemo } from 'react'
import { strings } from '../../strings'
import { LineChart } from '../line/LineChart'
import type { Trace } from '../line/trace'
import { Empty, Loading } from '../panel/States'
import { asNumber } from '../table/runRows'
import { contentQuery } from './useMedia'
import type { ViewProps } from './props'
import { tableOf, type TableContent } from './tableContent'
import type { Stored } from './mediaValues'

/** Draw two columns of a table as one line per run, such as a precision-recall curve. */
export default function Curve({ title, shown }: ViewProps) {
  const tables = useMemo(
    () =>
      shown.flatMap((one) => {
        const value = one.values.find((found): found is Stored => found._type === 'table')
        return value ? [{ ...one, value }] : []
      }),
    [shown],
  )
  const answers = useQueries({
    queries: tables.map(({ base, value }) => contentQuery(base, value.digest)),
    combine: (all) => all.map((one) => one.data),
  })
  const lines = useMemo(
    () => tables.flatMap(({ run, value }, i) => (answers[i] ? curveOf(tableOf(answers[i]), value, run) : [])),
    [answers, tables],
  )
  if (!lines.length)
    return answers.some((one) => one === undefined) ? <Loading /> : <Empty>{strings.charts.media.noCurve}</Empty>
  const [x, y] = axesOf(tables[0]!.value)
  return (
    <>
      <LineChart title={title} lines={lines} x={`curve ${title} ${x}`} logX={false} logY={false} clip={false} />
      <span className={contentCss.points}>{strings.charts.media.over(y, x)}</span>
    </>
  )
}

const axesOf = ({ plot, columns = [] }: Stored): [x: string, y: string] => [
  plot?.x ?? columns[0] ?? '',
  plot?.y ?? columns[1] ?? '',
]

function curveOf(table: TableContent, value: Stored, run: Pick<Trace, 'name' | 'stroke'> & { path: string }): Trace[] {
  const at = axesOf(value).map((name) => table.columns.indexOf(name))
  const points = table.data
    .map((row) => at.map((place) => asNumber(row[place])) as [number, number])
    .filter(([x]) => Number.isFinite(x))
    .sort((a, b) => a[0] - b[0])
  if (!points.length) return []
  const [x, y] = [0, 1].map((place) => Float64Array.from(points, (point) => point[place]!)) as [
    Float64Array,
    Float64Array,
  ]
  return [
    { id: run.path, name: run.name, stroke: run.stroke, x, y, raw: null, low: null, high: null, n: null, band: false },
  ]
}
