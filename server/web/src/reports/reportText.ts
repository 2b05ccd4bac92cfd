/** Reports as lines of text, to compare versions. */
import { titleOf } from '../charts/panelSpec'
import { strings } from '../strings'
import type { Block, Content, LeafBlock, RunChoice } from './blocks'

const texts = strings.reportEditor.kinds

/** Return the lines of a report: texts as they were written, other blocks as what they show. */
export const linesOf = ({ title, blocks }: Content): string[] => [
  `# ${title}`,
  ...blocks.flatMap((block) => ['', ...blockLines(block)]),
]

function blockLines(block: Block): string[] {
  if (block.kind !== 'columns') return leafLines(block)
  const side = (name: string, list: LeafBlock[]) => [`[${name}]`, ...list.flatMap(leafLines)]
  return [...side(`${texts.columns}: 1`, block.left), ...side(`${texts.columns}: 2`, block.right)]
}

function leafLines(block: LeafBlock): string[] {
  if (block.kind === 'markdown') return block.text.split('\n')
  const { id: _id, kind, ...members } = block
  const head = `[${texts[kind]}: ${headOf(block)}]`
  const facts: Record<string, unknown> = { ...members }
  if (block.kind === 'panel') {
    const { id: _panel, section: _section, title: _title, order: _order, ...panel } = block.panel
    delete facts.panel
    Object.assign(facts, panel, runFacts(block), block.view)
    delete facts.view
  }
  if (block.kind === 'table') Object.assign(facts, runFacts(block))
  if (block.kind === 'media' || block.kind === 'table') delete facts.title
  const lines = Object.entries(facts)
    .filter(([, value]) => !isEmpty(value))
    .map(([name, value]) => `  ${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
  return [head, ...lines]
}

const isEmpty = (value: unknown): boolean =>
  value === null || value === undefined || value === '' || (Array.isArray(value) && !value.length)

const runFacts = ({ runs, filter, limit }: RunChoice) =>
  runs.length ? { runs, filter: '', limit: null } : { runs, filter, limit }

function headOf(block: Exclude<LeafBlock, { kind: 'markdown' }>): string {
  if (block.kind === 'panel') return titleOf(block.panel)
  return block.kind === 'table' ? block.title || '–' : block.key
}
