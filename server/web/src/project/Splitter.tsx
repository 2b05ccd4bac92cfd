import css from './Splitter.module.css'
import type { KeyboardEvent, PointerEvent } from 'react'
import { strings } from '../strings'

const LEAST = 0.15
const MOST = 0.85
const STEP = 0.02

/** The divider between table and charts: drag it or use the arrow keys. `share` is the table's share of the width. */
export function Splitter({ share, onChange }: { share: number; onChange: (share: number) => void }) {
  const put = (next: number) => onChange(Math.round(1000 * Math.min(MOST, Math.max(LEAST, next))) / 1000)
  const begin = (event: PointerEvent<HTMLDivElement>) => {
    const bar = event.currentTarget
    const { left, width } = bar.parentElement!.getBoundingClientRect()
    event.preventDefault()
    bar.focus()
    bar.setPointerCapture(event.pointerId)
    const move = (now: globalThis.PointerEvent) => put((now.clientX - left) / width)
    bar.addEventListener('pointermove', move)
    bar.addEventListener('lostpointercapture', () => bar.removeEventListener('pointermove', move), { once: true })
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const to = { ArrowLeft: share - STEP, ArrowRight: share + STEP, Home: LEAST, End: MOST }[event.key]
    if (to === undefined) return
    event.preventDefault()
    put(to)
  }
  return (
    <div
      role="separator"
      aria-orientation="vertical"
      aria-label={strings.project.splitter}
      aria-valuenow={Math.round(100 * share)}
      aria-valuemin={100 * LEAST}
      aria-valuemax={100 * MOST}
      tabIndex={0}
      className={css.splitter}
      onPointerDown={begin}
      onKeyDown={onKeyDown}
      onDoubleClick={() => put(0.4)}
    />
  )
}
