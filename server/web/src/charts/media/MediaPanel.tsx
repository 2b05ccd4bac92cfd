import type { PanelProps } from '../panel/props'
import { Loading } from '../panel/States'
import type { MediaSpec } from '../spec'

export default function MediaPanel(_: PanelProps & { spec: MediaSpec }) {
  return <Loading />
}
