/** The blocks of a report as data, and how an editor changes them. All functions are pure. */
import type { PanelSpec } from '../charts/panelSpec'
import type { ChartsView, Grouping, Sort } from '../view/view'

/** Which runs a panel or table shows */
export interface RunChoice {
  /** Ids of runs; if empty, those that match the filter */
  runs: string[]
  filter: string
  /** Most runs shown */
  limit: number
}

export interface MarkdownBlock {
  id: string
  kind: 'markdown'
  text: string
}

export interface PanelBlock extends RunChoice {
  id: string
  kind: 'panel'
  panel: PanelSpec
  view: PanelView
}

/** Settings of a panel's charts that differ from the default, and how its runs are sorted and grouped */
export interface PanelView extends Partial<ChartsView> {
  sort?: Sort[]
  group?: Grouping
  /** Show system metrics instead of what was logged */
  system?: boolean
}

export interface TableBlock extends RunChoice {
  id: string
  kind: 'table'
  title: string
  columns: string[]
  sort: Sort[]
}

/** What one run logged under a key at a step; without a step the latest */
export interface MediaBlock {
  id: string
  kind: 'media'
  run: string
  key: string
  step: number | null
  caption: string
}

/** Blocks beside each other; on narrow screens below each other */
export interface ColumnsBlock {
  id: string
  kind: 'columns'
  left: LeafBlock[]
  right: LeafBlock[]
}

export type LeafBlock = MarkdownBlock | PanelBlock | TableBlock | MediaBlock
export type Block = LeafBlock | ColumnsBlock

/** What users write and save. */
export interface Content {
  title: string
  blocks: Block[]
}

export const newId = (): string => Math.random().toString(36).slice(2, 10).padEnd(8, '0')

/** Apply a change to each list of blocks, those in columns first; unchanged parts stay the same objects. */
function inLists(blocks: Block[], change: (list: Block[]) => Block[]): Block[] {
  const inner = blocks.map((block): Block => {
    if (block.kind !== 'columns') return block
    const [left, right] = [change(block.left) as LeafBlock[], change(block.right) as LeafBlock[]]
    return left === block.left && right === block.right ? block : { ...block, left, right }
  })
  return change(inner.every((block, i) => block === blocks[i]) ? blocks : inner)
}

/** Return every block, those in columns after the block that holds them. */
export const flat = (blocks: Block[]): Block[] =>
  blocks.flatMap((block) => (block.kind === 'columns' ? [block, ...block.left, ...block.right] : [block]))

export const found = (blocks: Block[], id: string): Block | undefined => flat(blocks).find((block) => block.id === id)

/** Replace the block of the same id. */
export const replaced = (blocks: Block[], block: Block): Block[] =>
  inLists(blocks, (list) =>
    list.some((one) => one.id === block.id) ? list.map((one) => (one.id === block.id ? block : one)) : list,
  )

/** Remove a block. Where that leaves an empty column, the blocks of the other one stand by themselves. */
export function removed(blocks: Block[], id: string): Block[] {
  return tidied(taken(blocks, id))
}

const taken = (blocks: Block[], id: string): Block[] =>
  inLists(blocks, (list) => (list.some((one) => one.id === id) ? list.filter((one) => one.id !== id) : list))

const tidied = (blocks: Block[]): Block[] =>
  blocks.flatMap((block): Block[] => {
    if (block.kind !== 'columns') return [block]
    return block.left.length && block.right.length ? [block] : [...block.left, ...block.right]
  })

/** Where a block goes: before or after another one, or beside it. */
export interface Spot {
  beside: string
  side: 'before' | 'after' | 'left' | 'right'
}

/** Insert a block at a spot; without one, or if the spot is gone, at the end. */
export function inserted(blocks: Block[], block: Block, spot: Spot | null): Block[] {
  const at = spot && found(blocks, spot.beside)
  if (!spot || !at) return [...blocks, block]
  if (spot.side === 'left' || spot.side === 'right') return besides(blocks, block, at, spot.side)
  const holder = holderOf(blocks, at.id)
  // Columns do not hold columns, so these come before or after the ones around the spot.
  const target = block.kind === 'columns' && holder ? holder.id : at.id
  return inLists(blocks, (list) => {
    const i = list.findIndex((one) => one.id === target)
    if (i < 0) return list as Block[]
    const place = spot.side === 'after' ? i + 1 : i
    return [...list.slice(0, place), block, ...list.slice(place)]
  })
}

function besides(blocks: Block[], block: Block, at: Block, side: 'left' | 'right'): Block[] {
  if (block.kind === 'columns') return inserted(blocks, block, { beside: at.id, side: 'after' })
  const holder = at.kind === 'columns' ? at : holderOf(blocks, at.id)
  if (holder) return replaced(blocks, { ...holder, [side]: [...holder[side], block] })
  const other = at as LeafBlock
  const pair = side === 'left' ? { left: [block], right: [other] } : { left: [other], right: [block] }
  return blocks.map((one) => (one.id === at.id ? { id: newId(), kind: 'columns', ...pair } : one))
}

/** Return the columns that hold a block, or null if it stands by itself. */
export function holderOf(blocks: Block[], id: string): ColumnsBlock | null {
  const holder = blocks.find((block) => block.kind === 'columns' && flat([block]).some((one) => one.id === id))
  return holder?.kind === 'columns' && holder.id !== id ? holder : null
}

/** Move a block to a spot; nothing changes if the spot is in the block itself. */
export function moved(blocks: Block[], id: string, spot: Spot): Block[] {
  const block = found(blocks, id)
  if (!block || spot.beside === id || flat([block]).some((one) => one.id === spot.beside)) return blocks
  return tidied(inserted(taken(blocks, id), block, spot))
}

export type Direction = 'up' | 'down' | 'left' | 'right'

/**
 * Move a block by a step: up and down among its neighbors, and out of its columns at their ends; left and right to the
 * next column, or beside the block before it.
 */
export function stepped(blocks: Block[], id: string, direction: Direction): Block[] {
  const holder = holderOf(blocks, id)
  const own = holder && (holder.left.some((one) => one.id === id) ? 'left' : 'right')
  const list: Block[] = holder ? holder[own!] : blocks
  const at = list.findIndex((one) => one.id === id)
  if (at < 0) return blocks
  if (direction === 'left' || direction === 'right') {
    if (holder) {
      const other = holder[direction]
      if (own === direction) return blocks
      const beside = other[Math.min(at, other.length - 1)]!
      return moved(blocks, id, { beside: beside.id, side: at < other.length ? 'before' : 'after' })
    }
    const other = list[at - 1] ?? list[at + 1]
    if (!other || list[at]!.kind === 'columns') return blocks
    return moved(blocks, id, { beside: other.id, side: direction })
  }
  const [by, side] = direction === 'up' ? ([-1, 'before'] as const) : ([1, 'after'] as const)
  const other = list[at + by] ?? holder
  return other ? moved(blocks, id, { beside: other.id, side }) : blocks
}

/** Insert a copy of a block after it. Returns the blocks and the id of the copy. */
export function duplicated(blocks: Block[], id: string): { blocks: Block[]; copy: string } {
  const block = found(blocks, id)
  if (!block) return { blocks, copy: id }
  const copy = copied(block)
  return { blocks: inserted(blocks, copy, { beside: id, side: 'after' }), copy: copy.id }
}

function copied(block: Block): Block {
  const twin = structuredClone(block)
  for (const one of flat([twin])) one.id = newId()
  return twin
}

/** Whether two values are equal, whatever the order of their members. */
export function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one, sorted) === JSON.stringify(other, sorted)
}

const sorted = (_name: string, value: unknown): unknown =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value
