import type { PanelProps } from '../panel/props'
import { Loading } from '../panel/States'
import type { ScatterSpec } from '../spec'

export default function ScatterPanel(_: PanelProps & { spec: ScatterSpec }) {
  return <Loading />
}
