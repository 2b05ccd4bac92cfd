import css from './Patch.module.css'

import { Badge, Button, Group, Text, UnstyledButton } from '@mantine/core'
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react'
import { useMemo, useState } from 'react'
import { Empty } from '../../shell/Empty'
import { strings } from '../../strings'
import { parsePatch, type FilePatch, type PatchLine } from './patch'

/** Most lines of a file that are shown at once. */
const MOST = 400

/** Show a patch, file by file, after a list of its files. */
export function Patch({ text }: { text: string }) {
  const files = useMemo(() => parsePatch(text), [text])
  if (!files.length) return <Empty title={strings.code.noChanges} />
  return (
    <div className={css.patch}>
      {files.length > 1 && <FileList files={files} />}
      {files.map((file) => (
        <OneFile key={file.path} file={file} />
      ))}
    </div>
  )
}

const idOf = (file: FilePatch) => `file ${file.path}`

function FileList({ files }: { files: FilePatch[] }) {
  const show = (file: FilePatch) => {
    const heading = document.getElementById(idOf(file))
    heading?.scrollIntoView({ block: 'start' })
    heading?.focus({ preventScroll: true })
  }
  return (
    <nav className={`panel ${css.list}`} aria-label={strings.code.files}>
      <Text size="sm" c="dimmed" mb={4}>
        {strings.common.files(files.length)}
      </Text>
      <ul className="plain-list">
        {files.map((file) => (
          <li key={file.path}>
            <UnstyledButton className={css.link} onClick={() => show(file)}>
              <Text size="sm" className="wrap grow">
                {file.path}
              </Text>
              <Counts file={file} />
            </UnstyledButton>
          </li>
        ))}
      </ul>
    </nav>
  )
}

export function Counts({ file }: { file: FilePatch }) {
  return (
    <Group gap={6} wrap="nowrap" className="mono nowrap">
      {file.change !== 'changed' && (
        <Badge variant="default" size="sm" tt="none" fw={500} radius="sm">
          {strings.code.change[file.change]}
        </Badge>
      )}
      <span className={css.countAdded} aria-label={strings.code.added(file.added)} role="img">
        +{file.added}
      </span>
      <span className={css.countRemoved} aria-label={strings.code.removed(file.removed)} role="img">
        −{file.removed}
      </span>
    </Group>
  )
}

function OneFile({ file }: { file: FilePatch }) {
  const [open, setOpen] = useState(true)
  const [whole, setWhole] = useState(false)
  const count = file.hunks.reduce((sum, hunk) => sum + hunk.lines.length, 0)
  const Chevron = open ? IconChevronDown : IconChevronRight
  return (
    <section className={`panel ${css.file}`}>
      <UnstyledButton id={idOf(file)} className={css.head} aria-expanded={open} onClick={() => setOpen(!open)}>
        <Chevron size={15} aria-hidden />
        <Text size="sm" fw={600} className="wrap grow">
          {file.from ? `${file.from} → ${file.path}` : file.path}
        </Text>
        <Counts file={file} />
      </UnstyledButton>
      {open && file.binary && <Text className={css.note}>{strings.code.binary}</Text>}
      {open && !file.binary && !count && <Text className={css.note}>{strings.code.noLines}</Text>}
      {open && count > 0 && (count <= MOST || whole) && (
        <div className={`${css.lines} mono`} tabIndex={0} role="group" aria-label={file.path}>
          {file.hunks.map((hunk, i) => (
            <div key={i}>
              <div className={css.hunk}>{hunk.header}</div>
              {hunk.lines.map((line, j) => (
                <DiffLine key={j} line={line} />
              ))}
            </div>
          ))}
        </div>
      )}
      {open && count > MOST && !whole && (
        <Button variant="subtle" size="compact-sm" m="xs" onClick={() => setWhole(true)}>
          {strings.code.large(count)}
        </Button>
      )}
    </section>
  )
}

const SIGNS = { same: ' ', added: '+', removed: '−', note: '' }

/** A line with its numbers, and a sign as well as a color. */
export function DiffLine({ line }: { line: PatchLine }) {
  const sign = strings.code.line[line.kind]
  return (
    <div className={`${css.line} ${css[line.kind] ?? ''}`}>
      <span className={css.number} aria-hidden>
        {line.before ?? ''}
      </span>
      <span className={css.number} aria-hidden>
        {line.after ?? ''}
      </span>
      <span className={css.sign} role="img" aria-label={sign || undefined} aria-hidden={!sign}>
        {SIGNS[line.kind]}
      </span>
      <span className={css.text}>{line.text}</span>
    </div>
  )
}
