import css from './Preview.module.css'
import { SegmentedControl, Text } from '@mantine/core'
import { useEffect, useMemo, useState, type ReactNode } from 'react'
import { size } from '../../lib/format'
import { Markdown } from '../../notes/Markdown'
import { Empty } from '../../shell/Empty'
import { Failed } from '../../shell/Failed'
import { Waiting } from '../../shell/Waiting'
import { strings } from '../../strings'
import { Patch } from '../code/Patch'
import type { TabProps } from '../props'
import { ValuesTree } from '../ValuesTree'
import { isObject } from '../values'
import { kindOf, textOf, typeOf, type Kind } from './fileContent'
import { parseCsv } from './parseCsv'
import { Notebook, notebookOf } from './Notebook'
import { useContent, type RunFile } from './useFiles'

const TEXT_MOST = 512 * 1024
const MEDIA_MOST = 64 * 1024 * 1024
const ROWS = 1000

const isMedia = (kind: Kind) => kind === 'image' || kind === 'audio' || kind === 'video'

/** Preview a file as a picture, a table or text. */
export function Preview({ run, file }: TabProps & { file: RunFile }) {
  const kind = kindOf(file.name)
  const most = isMedia(kind) ? MEDIA_MOST : TEXT_MOST
  const tooLarge = isMedia(kind) && file.size > most
  const { data: content, error, refetch } = useContent(run, tooLarge ? undefined : file, most)
  if (tooLarge) return <Empty title={strings.files.tooLarge(size(file.size))} />
  if (error) return <Failed error={error} reset={() => void refetch()} />
  if (!content) return <Waiting height={160} />
  if (isMedia(kind)) return <Media name={file.name} kind={kind} content={content} />
  const isPart = content.length < file.size
  const text = textOf(content, isPart)
  if (text === null) return <Empty title={strings.files.noPreview} />
  return (
    <>
      {isPart && <Note>{strings.files.large(size(content.length), size(file.size))}</Note>}
      <TextPreview kind={kind} name={file.name} text={text} isPart={isPart} />
    </>
  )
}

const Note = ({ children }: { children: ReactNode }) => (
  <Text size="sm" c="dimmed" mb="xs">
    {children}
  </Text>
)

function Media({ name, kind, content }: { name: string; kind: Kind; content: Uint8Array<ArrayBuffer> }) {
  const [address, setAddress] = useState<string>()
  useEffect(() => {
    // Within an <img>, an SVG runs no scripts and loads nothing.
    const url = URL.createObjectURL(new Blob([content], { type: typeOf(name) }))
    setAddress(url)
    return () => URL.revokeObjectURL(url)
  }, [name, content])
  if (!address) return null
  if (kind === 'image') return <img src={address} alt={name} className={css.image} />
  if (kind === 'audio') return <audio src={address} controls aria-label={name} />
  return <video src={address} controls aria-label={name} className={css.image} />
}

function TextPreview({ kind, name, text, isPart }: { kind: Kind; name: string; text: string; isPart: boolean }) {
  const [source, setSource] = useState(false)
  const rendered = useMemo(() => render(kind, name, text, isPart), [kind, name, text, isPart])
  if (rendered === null) return <Source text={text} />
  if (rendered === undefined) {
    return (
      <>
        <Note>{strings.files.damaged}</Note>
        <Source text={text} />
      </>
    )
  }
  return (
    <>
      <SegmentedControl
        size="xs"
        mb="sm"
        data={[
          { value: 'rendered', label: strings.files.rendered },
          { value: 'source', label: strings.files.source },
        ]}
        value={source ? 'source' : 'rendered'}
        onChange={(value) => setSource(value === 'source')}
      />
      {source ? <Source text={text} /> : rendered}
    </>
  )
}

/** Render a file by its kind; null for plain text, undefined if the content is not of that kind. */
function render(kind: Kind, name: string, text: string, isPart: boolean): ReactNode | null | undefined {
  if (kind === 'markdown') return <Markdown text={text} />
  if (kind === 'csv') return <Csv rows={parseCsv(text, name.endsWith('.tsv') ? '\t' : ',', ROWS + 1)} />
  if (kind === 'patch') return <Patch text={text} />
  if (isPart || (kind !== 'json' && kind !== 'notebook')) return null
  try {
    const value: unknown = JSON.parse(text)
    if (kind === 'json') return isObject(value) ? <ValuesTree values={value} /> : <ValuesTree values={{ '': value }} />
    const notebook = notebookOf(value)
    return notebook && <Notebook notebook={notebook} />
  } catch {
    return undefined
  }
}

function Source({ text }: { text: string }) {
  const lines = text.split('\n').length
  const numbers = useMemo(() => Array.from({ length: lines }, (_, i) => i + 1).join('\n'), [lines])
  return (
    <div className={`${css.source} mono`}>
      <pre aria-hidden className={css.numbers}>
        {numbers}
      </pre>
      <pre>{text}</pre>
    </div>
  )
}

function Csv({ rows: [head = [], ...rows] }: { rows: string[][] }) {
  return (
    <>
      {rows.length >= ROWS && <Note>{strings.files.rows(ROWS)}</Note>}
      <div className={css.table} tabIndex={0} role="group" aria-label={strings.files.rendered}>
        <table>
          <thead>
            <tr>
              {head.map((cell, i) => (
                <th key={i} scope="col">
                  {cell}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, i) => (
              <tr key={i}>
                {row.map((cell, j) => (
                  <td key={j}>{cell}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  )
}
