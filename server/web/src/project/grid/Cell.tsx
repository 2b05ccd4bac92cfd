import css from './Cell.module.css'
import type { ReactNode } from 'react'
import { strings } from '../../strings'
import type { Column } from '../columns'
import { differenceText, isNumeric, textOf, titleOf } from '../cellText'

const DOTS: Record<string, string | undefined> = {
  ...{
    running: css.running,
    finished: css.finished,
    failed: css.failed,
    crashed: css.failed,
    killed: css.killed,
    preempted: css.killed,
  },
}

/**
 * Render one value. `baseline` is the value to compare with; undefined without one, and for the baseline itself.
 * A function, not a component: there are hundreds on screen, and components would cost a fifth of the render time.
 */
export function valueCell(column: Column, item: unknown, baseline?: unknown): ReactNode {
  if (item === null || item === undefined) return <span className={css.none}>–</span>
  if (column.name === 'state') return <State state={String(item)} />
  if (column.name === 'tags' && Array.isArray(item)) return <Tags tags={item.map(String)} />
  const text = textOf(column, item)
  if (!isNumeric(column)) return <span title={titleOf(column, item)}>{text}</span>
  const difference = differenceText(item, baseline)
  return (
    <span title={titleOf(column, item)}>
      {difference && <small className={css.difference}>{difference}</small>}
      {text}
    </span>
  )
}

function State({ state }: { state: string }) {
  return (
    <span className={css.state}>
      <Dot state={state} />
      {strings.states[state] ?? state}
    </span>
  )
}

/** A dot for a state, with a shape as well as a color. */
export const Dot = ({ state }: { state: string }) => <i className={`${css.dot} ${DOTS[state] ?? ''}`} aria-hidden />

function Tags({ tags }: { tags: string[] }) {
  return (
    <span title={tags.join(', ')}>
      {tags.map((tag, i) => (
        <span key={i} className={css.tag}>
          {tag}
        </span>
      ))}
    </span>
  )
}

/** A short piece of the run's line in charts. */
export function Swatch({ color, dash, faint }: { color: string; dash: number[]; faint: boolean }) {
  return (
    <svg width="18" height="10" viewBox="0 0 18 10" aria-hidden opacity={faint ? 0.35 : 1}>
      <line
        x1="1"
        x2="17"
        y1="5"
        y2="5"
        stroke={color}
        strokeWidth="3"
        strokeDasharray={dash.map((one) => one * 0.6).join(' ')}
      />
    </svg>
  )
}
