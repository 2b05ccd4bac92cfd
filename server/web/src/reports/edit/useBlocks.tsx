import { Suspense, useCallback, useState, type ReactNode } from 'react'
import type { Place } from '../../api/paths'
import { lazyLoad } from '../../shell/lazyLoad'
import { strings } from '../../strings'
import {
  duplicated,
  flat,
  found,
  holderOf,
  inserted,
  moved,
  newId,
  removed,
  replaced,
  stepped,
  type Block,
  type Content,
  type Direction,
  type LeafBlock,
  type PanelBlock,
  type Spot,
} from '../blocks'
import type { Document } from './useDocument'

const PanelDialog = lazyLoad(() => import('./PanelDialog').then((it) => it.PanelDialog))

const texts = strings.reportEditor

export type NewKind = LeafBlock['kind']

/** How blocks are changed. */
export interface Editing {
  place: Place
  /** Replace a block. Quick changes of the same block are one undo step. */
  set: (block: LeafBlock) => void
  /** Add a new block; without a spot at the end */
  add: (kind: NewKind, spot: Spot | null) => void
  remove: (id: string) => void
  duplicate: (id: string) => void
  step: (id: string, direction: Direction) => void
  drop: (id: string, spot: Spot) => void
  editPanel: (block: PanelBlock) => void
  /** What was last done, for screen readers */
  said: string
  dialog: ReactNode
}

type Dialog = { block: PanelBlock | null; spot: Spot | null }

/** Return how the blocks of a report are changed. */
export function useBlocks(place: Place, content: Content, change: Document['change']): Editing {
  const [said, setSaid] = useState('')
  const [open, setOpen] = useState<Dialog | null>(null)
  const blocks = useCallback(
    (of: (blocks: Block[]) => Block[], what: string | null = null) =>
      change((now) => {
        const made = of(now.blocks)
        return made === now.blocks ? now : { ...now, blocks: made }
      }, what),
    [change],
  )
  const put = (block: LeafBlock, spot: Spot | null) => {
    blocks((now) => inserted(now, block, spot))
    focusLater(block.id)
  }
  const tell = (made: Block[], id: string) => {
    const holder = holderOf(made, id)
    const list: Block[] = !holder ? made : holder.left.some((one) => one.id === id) ? holder.left : holder.right
    setSaid(texts.moved(list.findIndex((one) => one.id === id) + 1, list.length))
  }
  const move = (made: Block[], id: string) => {
    if (made === content.blocks) return
    blocks(() => made)
    tell(made, id)
    focusLater(id, true)
  }
  const dialog = open && (
    <Suspense>
      <PanelDialog
        place={place}
        block={open.block}
        onClose={() => setOpen(null)}
        onSave={(block) => {
          setOpen(null)
          if (open.block) blocks((now) => replaced(now, block))
          else put(block, open.spot)
        }}
      />
    </Suspense>
  )
  return {
    ...{ place, said, dialog },
    set: (block) => blocks((now) => replaced(now, block), `block ${block.id}`),
    add: (kind, spot) => (kind === 'panel' ? setOpen({ block: null, spot }) : put(emptyBlock(kind), spot)),
    remove: (id) => {
      const order = flat(content.blocks)
      const next = order[order.findIndex((block) => block.id === id) + 1] ?? order.at(-2)
      blocks((now) => removed(now, id))
      setSaid(texts.removed)
      if (next) focusLater(next.id, true)
    },
    duplicate: (id) => {
      const made = duplicated(content.blocks, id)
      blocks(() => made.blocks)
      focusLater(made.copy, true)
    },
    step: (id, direction) => move(stepped(content.blocks, id, direction), id),
    drop: (id, spot) => found(content.blocks, id) && move(moved(content.blocks, id, spot), id),
    editPanel: (block) => setOpen({ block, spot: null }),
  }
}

function emptyBlock(kind: Exclude<NewKind, 'panel'>): LeafBlock {
  const id = newId()
  switch (kind) {
    case 'markdown':
      return { id, kind, text: '' }
    case 'table':
      return { id, kind, title: '', columns: ['created', 'state'], runs: [], filter: '', sort: [], limit: 10 }
    case 'media':
      return { id, kind, run: '', key: '', step: null, caption: '' }
  }
}

/** Focus a block after it is drawn: its handle, or its first field. */
function focusLater(id: string, handle = false) {
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      const block = document.querySelector<HTMLElement>(`[data-block="${CSS.escape(id)}"]`)
      const field = handle ? null : block?.querySelector<HTMLElement>('textarea, input')
      const target = field ?? block?.querySelector<HTMLElement>('[data-grip]')
      target?.focus()
      block?.scrollIntoView({ block: 'nearest' })
    }),
  )
}
