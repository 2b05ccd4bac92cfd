/** Merges two changes of one report, block by block. */
import { flat, newId, same, type Block, type Content } from './blocks'

export interface Merged {
  content: Content
  /** Ids of blocks that both changed: the report has both, the other's first */
  both: string[]
}

/**
 * Merge what two people made of `base`. What only one of them changed, added or removed is taken over. Where both
 * changed a block differently, both versions stay; where one changed what the other removed, the change stays. The order
 * is that of `mine`, with the other's new blocks after the block that they follow.
 */
export function merged(base: Content, mine: Content, theirs: Content): Merged {
  const [before, other] = [byId(base.blocks), byId(theirs.blocks)]
  const own = byId(mine.blocks)
  const both: string[] = []
  const blocks: Block[] = []
  for (const block of mine.blocks) {
    const [was, there] = [before.get(block.id), other.get(block.id)]
    const changed = !same(block, was)
    if (!there) {
      if (!was || changed) blocks.push(block)
    } else if (!changed || same(block, there)) blocks.push(there)
    else if (same(there, was)) blocks.push(block)
    else {
      blocks.push(there, renamed(block))
      both.push(block.id)
    }
  }
  theirs.blocks.forEach((block, i) => {
    if (own.has(block.id)) return
    const was = before.get(block.id)
    if (was && same(block, was)) return // removed here
    const previous = theirs.blocks.slice(0, i).reverse()
    const after = previous.find((one) => blocks.some((kept) => kept.id === one.id))
    blocks.splice(after ? blocks.findIndex((kept) => kept.id === after.id) + 1 : 0, 0, block)
  })
  const title = same(mine.title, base.title) ? theirs.title : mine.title
  return { content: { title, blocks: placedOnce(blocks, before, both) }, both }
}

const byId = (blocks: Block[]) => new Map(blocks.map((block) => [block.id, block]))

/** Give a block another id, so that it can stand beside the other version of itself. */
const renamed = (block: Block): Block => ({ ...block, id: newId() })

/**
 * Leave out blocks that are already in columns, where one side moved them; a change of such a block stays beside the
 * columns.
 */
function placedOnce(blocks: Block[], before: Map<string, Block>, both: string[]): Block[] {
  const inColumns = byId(blocks.flatMap((block) => flat([block]).slice(1)))
  return blocks.flatMap((block): Block[] => {
    const there = inColumns.get(block.id)
    if (!there) return [block]
    if (same(block, there) || same(block, before.get(block.id))) return []
    both.push(block.id)
    return [renamed(block)]
  })
}
