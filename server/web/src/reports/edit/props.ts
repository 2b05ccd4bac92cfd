import type { Place } from '../../api/paths'
import type { LeafBlock } from '../blocks'

/** Props of the editor of a kind of block. */
export interface BlockProps<B extends LeafBlock> {
  place: Place
  block: B
  set: (block: B) => void
}
