import css from './Notebook.module.css'
import previewCss from './Preview.module.css'
import { Text } from '@mantine/core'
import { Markdown } from '../../notes/Markdown'
import { strings } from '../../strings'
import { plain } from '../console/ansi'
import { isObject } from '../values'

interface Cell {
  kind: string
  source: string
  count: number | null
  outputs: Output[]
}

type Output = { kind: 'text'; text: string } | { kind: 'image'; address: string } | { kind: 'html' }

/** Parse the cells of a Jupyter notebook (format 4); undefined if it is none. */
export function notebookOf(value: unknown): Cell[] | undefined {
  if (!isObject(value) || !Array.isArray(value.cells)) return undefined
  return value.cells.filter(isObject).map((cell) => ({
    kind: String(cell.cell_type),
    source: joined(cell.source),
    count: typeof cell.execution_count === 'number' ? cell.execution_count : null,
    outputs: Array.isArray(cell.outputs) ? cell.outputs.filter(isObject).map(outputOf) : [],
  }))
}

/** Join a text, which may be a list of lines. */
const joined = (text: unknown): string => (Array.isArray(text) ? text.map(String).join('') : String(text ?? ''))

function outputOf(output: Record<string, unknown>): Output {
  if (output.output_type === 'error')
    return { kind: 'text', text: joined((output.traceback as string[] | undefined)?.map((line) => `${line}\n`)) }
  if (output.text !== undefined) return { kind: 'text', text: joined(output.text) }
  const data = isObject(output.data) ? output.data : {}
  for (const type of ['image/png', 'image/jpeg']) {
    if (type in data) return { kind: 'image', address: `data:${type};base64,${joined(data[type]).replace(/\s/g, '')}` }
  }
  if ('text/plain' in data) return { kind: 'text', text: joined(data['text/plain']) }
  return { kind: 'html' }
}

/** Show a notebook's cells and outputs, except HTML output, which could contain anything. */
export function Notebook({ notebook }: { notebook: Cell[] }) {
  return (
    <div className={css.notebook}>
      {notebook.map((cell, i) => (
        <section key={i}>
          {cell.kind === 'markdown' ? (
            <Markdown text={cell.source} />
          ) : (
            <div className={css.code}>
              <Text size="xs" c="dimmed" className="mono nowrap">
                [{cell.count ?? ' '}]
              </Text>
              <pre className="mono" tabIndex={0}>
                {cell.source}
              </pre>
            </div>
          )}
          {cell.outputs.map((output, j) => (
            <Shown key={j} output={output} />
          ))}
        </section>
      ))}
    </div>
  )
}

function Shown({ output }: { output: Output }) {
  if (output.kind === 'image')
    return <img src={output.address} alt={strings.files.output} className={previewCss.image} />
  if (output.kind === 'text')
    return (
      <pre className={`mono ${css.output}`} tabIndex={0}>
        {plain(output.text)}
      </pre>
    )
  return (
    <Text size="sm" c="dimmed">
      {strings.files.htmlOutput}
    </Text>
  )
}
