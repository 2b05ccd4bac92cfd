import contentCss from '../panel/Content.module.css'
import { useMemo, type ReactNode } from 'react'
import type { Series } from '../../api/charts'
import type { CommonKey } from '../../api/queries'
import { strings } from '../../strings'
import type { ChartsView } from '../../view/view'
import { useSize } from '../useSize'
import { Empty, Loading, Trouble } from '../panel/States'
import type { PanelProps } from '../panel/props'
import type { LineSpec } from '../panelSpec'
import type { ShownGroup, ShownRun } from '../types'
import { LineChart } from './LineChart'
import { useSeries } from './useSeries'
import { useZooms, type Range } from './sync'
import { countsOf, extentOf, nameOf, traces, yExtent, type Trace } from './trace'

/**
 * Return the x of a line panel: its own, else that of all panels. If all panels use the step, a metric's own x
 * (`define_metric`) replaces it. System metrics have no steps.
 */
function xOf(spec: LineSpec, view: ChartsView, kind: 'history' | 'system', known: CommonKey[]): string {
  const x = spec.x ?? view.x
  if (x !== '_step') return x
  if (kind === 'system') return '_runtime'
  const defined = spec.x ? null : known.find((one) => one.key === spec.keys[0])?.x
  return defined && known.some((one) => one.key === defined && one.type === 'number') ? defined : x
}

const NO_RUNS: ShownRun[] = []
const NO_GROUPS: ShownGroup[] = []

/** Fetch and draw the lines of a panel, and show how many points are drawn. */
export function LinePanel({ spec, title, runs, groups, view, kind, keys: known }: PanelProps & { spec: LineSpec }) {
  const { ref, width } = useSize<HTMLDivElement>()
  const { zoomOf } = useZooms()
  const x = xOf(spec, view, kind, known)
  const zoom = zoomOf(x)
  const keys = useMemo(() => keysOf(spec, known), [spec, known])
  const banded = groups.length > 0 && view.band !== 'runs'
  const drawn = banded ? NO_RUNS : runs
  const bands = banded ? groups : NO_GROUPS
  const ask = {
    ...{ keys, x, kind, groups: bands },
    runs: drawn.map((run) => run.path),
    buckets: width && Math.max(200, Math.ceil(width / 100) * 100),
  }
  const { whole, shown, error, pending, refetch } = useSeries(ask, zoom)
  const { smoothing: common, envelope, band } = view
  const smoothing = spec.smoothing ?? common
  const { kind: smoothed, weight } = smoothing
  const lines = useMemo(
    () =>
      shown && whole
        ? traces(shown, whole, keys, drawn, bands, { smoothing: { kind: smoothed, weight }, envelope, band })
        : [],
    [shown, whole, keys, drawn, bands, smoothed, weight, envelope, band],
  )
  const logY = spec.logY ?? view.logY
  const logX = (spec.logX ?? view.logX) && x !== '_timestamp'
  const text = strings.charts.empty

  if (error && !whole) return <Trouble error={error} retry={() => void refetch()} />
  if (!keys.length) return <Empty>{text.regex}</Empty>
  const extent = extentOf(lines)
  let body: ReactNode
  if (pending && drawn.length + bands.length > 0) body = <Loading />
  else if (!extent)
    body = <Empty>{x.startsWith('_') ? text.keys(keys.join(', '), runs.length) : text.x(keys.join(', '), x)}</Empty>
  else if (logY && !yExtent(lines, extent, false, true)) body = <Empty>{text.log}</Empty>
  else body = <LineChart {...{ title, lines, x, logX, logY, clip: view.clip }} />
  return (
    <div className={contentCss.body} ref={ref}>
      {body}
      {extent && (
        <div className={contentCss.points}>
          {!sameAxis(x, view, kind) && <span>{strings.charts.over(strings.charts.axes[x] ?? x)}</span>}
          <Points got={shown!} lines={lines} zoom={zoom} />
        </div>
      )}
    </div>
  )
}

/** Whether the toolbar already names this x axis. */
const sameAxis = (x: string, view: ChartsView, kind: 'history' | 'system'): boolean =>
  x === view.x || (kind === 'system' && x === '_runtime' && view.x === '_step')

function Points({ got, lines, zoom }: { got: Series[]; lines: Trace[]; zoom: Range | null }) {
  const ids = new Set(lines.map((line) => line.id))
  const counts = countsOf(
    got.filter((one) => ids.has(nameOf(one))),
    zoom,
  )
  if (!counts) return null
  const [shown, all] = counts
  return <span title={strings.charts.pointsHint(shown, all)}>{strings.charts.points(shown, all)}</span>
}

function keysOf(spec: LineSpec, known: CommonKey[]): string[] {
  if (!spec.regex) return spec.keys
  let regex: RegExp
  try {
    regex = new RegExp(spec.regex)
  } catch {
    return spec.keys
  }
  const matching = known.filter((one) => one.type === 'number' && regex.test(one.key)).map((one) => one.key)
  return [...new Set([...spec.keys, ...matching])].slice(0, 20)
}
