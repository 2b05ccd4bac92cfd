import css from './TextDiff.module.css'
import { Text } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useMemo } from 'react'
import { diffLines, hunksOf } from '../compare/lineDiff'
import type { PatchLine } from '../run/code/patch'
import { DiffLine } from '../run/code/Patch'
import { strings } from '../strings'
import type { Content } from './blocks'
import { linesOf } from './reportText'
import { sideRows } from './sideRows'

interface Props {
  before: Content
  after: Content
  /** Headings of the two sides */
  labels: [before: string, after: string]
}

/** Show the differences of two texts of a report side by side, below each other on narrow screens. */
export function TextDiff({ before, after, labels }: Props) {
  const narrow = useMediaQuery('(max-width: 760px)', window.innerWidth <= 760) ?? false
  const hunks = useMemo(() => hunksOf(diffLines(linesOf(before), linesOf(after))), [before, after])
  const texts = strings.reportVersions
  if (!hunks.length) return <Text c="dimmed">{texts.same}</Text>
  return (
    <div className={`panel ${css.diff}`} role="group" aria-label={texts.differences} tabIndex={0}>
      <div className={css.labels} data-narrow={narrow || undefined}>
        <span>{labels[0]}</span>
        <span>{labels[1]}</span>
      </div>
      {hunks.map((hunk, i) => (
        <div key={i} className={`${css.hunk} ${narrow ? css.narrow : ''} mono`}>
          {narrow
            ? hunk.lines.map((line, j) => <DiffLine key={j} line={line} />)
            : sideRows(hunk.lines).map((row, j) => (
                <div key={j} className={css.row}>
                  <Side line={row.before} side="before" />
                  <Side line={row.after} side="after" />
                </div>
              ))}
        </div>
      ))}
    </div>
  )
}

function Side({ line, side }: { line: PatchLine | null; side: 'before' | 'after' }) {
  if (!line) return <div className={css.nothing} />
  const kind = strings.code.line[line.kind]
  const changed = line.kind === 'added' ? css.added : line.kind === 'removed' ? css.removed : ''
  return (
    <div className={`${css.side} ${changed}`}>
      <span className={css.number} aria-hidden>
        {line[side]}
      </span>
      {kind && <span className="visually-hidden">{kind}: </span>}
      <span className={css.text}>{line.text}</span>
    </div>
  )
}
