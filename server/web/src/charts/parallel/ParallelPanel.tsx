import type { PanelProps } from '../panel/props'
import { Loading } from '../panel/States'
import type { ParallelSpec } from '../spec'

export default function ParallelPanel(_: PanelProps & { spec: ParallelSpec }) {
  return <Loading />
}
