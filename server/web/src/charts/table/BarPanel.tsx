import type { PanelProps } from '../panel/props'
import { Loading } from '../panel/States'
import type { BarSpec } from '../spec'

export default function BarPanel(_: PanelProps & { spec: BarSpec }) {
  return <Loading />
}
