import css from './Blocks.module.css'
import type { ReactNode } from 'react'
import type { Place } from '../api/paths'
import { EmbeddedPanel } from '../notes/EmbeddedPanel'
import { Markdown } from '../notes/Markdown'
import { ErrorBoundary } from '../shell/ErrorBoundary'
import type { Block, LeafBlock } from './blocks'
import { MediaView } from './MediaView'
import { PanelView } from './PanelView'
import { TableView } from './TableView'

/** Show the blocks of a report, for reading. */
export function Blocks({ blocks, ...place }: Place & { blocks: Block[] }) {
  return (
    <div className={css.blocks}>
      {blocks.map((block) =>
        block.kind === 'columns' ? (
          <div key={block.id} className={css.columns}>
            <Blocks {...place} blocks={block.left} />
            <Blocks {...place} blocks={block.right} />
          </div>
        ) : (
          <div key={block.id} className={css.block}>
            <ErrorBoundary>
              <OneBlock {...place} block={block} />
            </ErrorBoundary>
          </div>
        ),
      )}
    </div>
  )
}

/** Show one block that holds no others. */
export function OneBlock({ block, ...place }: Place & { block: LeafBlock }): ReactNode {
  switch (block.kind) {
    case 'markdown':
      return <Markdown text={block.text} under={1} panel={(source) => <EmbeddedPanel {...place} source={source} />} />
    case 'panel':
      return <PanelView {...place} block={block} />
    case 'table':
      return <TableView {...place} block={block} />
    case 'media':
      return <MediaView {...place} block={block} />
  }
}
