import { Suspense } from 'react'
import { ErrorBoundary } from '../../shell/ErrorBoundary'
import { lazyLoad } from '../../shell/lazyLoad'
import { strings } from '../../strings'
import { LinePanel } from '../line/LinePanel'
import type { PanelProps } from './props'
import { Empty, Loading } from './States'

const Bar = lazyLoad(() => import('../table/BarPanel').then((it) => it.default))
const Scatter = lazyLoad(() => import('../table/ScatterPanel').then((it) => it.default))
const Parallel = lazyLoad(() => import('../parallel/ParallelPanel').then((it) => it.default))
const Media = lazyLoad(() => import('../media/MediaPanel').then((it) => it.default))

/** Show a panel by its kind. The code of all but line charts loads when first needed. */
export function Content(props: PanelProps) {
  return (
    <ErrorBoundary key={props.spec.kind} what={strings.charts.failed}>
      <Suspense fallback={<Loading />}>{contentOf(props)}</Suspense>
    </ErrorBoundary>
  )
}

function contentOf(props: PanelProps) {
  const { spec } = props
  switch (spec.kind) {
    case 'line':
      return <LinePanel {...props} spec={spec} />
    case 'bar':
      return <Bar {...props} spec={spec} />
    case 'scatter':
      return <Scatter {...props} spec={spec} />
    case 'parallel':
      return <Parallel {...props} spec={spec} />
    case 'histogram':
    case 'media':
    case 'table':
    case 'text':
    case 'curve':
    case 'plotly':
    case 'html':
      return <Media {...props} spec={spec} />
    default:
      // A view of a later version, or one written by hand
      return <Empty>{strings.charts.empty.kind}</Empty>
  }
}
