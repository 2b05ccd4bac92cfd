import type { Range } from './sync'
import type { Grip } from './touch'

/** What panning does to a chart. */
interface Panned {
  /** Pixels across the plotting area */
  width: () => number
  grip: () => Grip
  /** The current range, zoomed and shifted as by `zoomedRange` */
  zoomedRange: (factor: number, about: number, shift: number) => Range | null
  /** Show a range while it changes. */
  move: (range: Range) => void
  /** Keep the range at the end of the movement. */
  settle: (range: Range) => void
}

/** Milliseconds without an event after which the wheel has stopped. */
const SETTLED_MS = 200

/**
 * Handle panning by mouse: a drag with Shift or the middle button, or scrolling sideways. With Ctrl the wheel zooms;
 * otherwise it scrolls the page.
 */
export function hearPan(over: HTMLElement, on: Panned): void {
  let timer = 0

  const startPan = (event: MouseEvent) => {
    if (!(event.shiftKey || event.button === 1)) return
    event.preventDefault()
    const from = event.clientX
    const grip = on.grip()
    const move = (now: MouseEvent) => grip.move(1, 0, (from - now.clientX) / on.width())
    const end = () => {
      window.removeEventListener('mousemove', move)
      window.removeEventListener('mouseup', end)
      grip.end()
    }
    window.addEventListener('mousemove', move)
    window.addEventListener('mouseup', end)
  }

  const onWheel = (event: WheelEvent) => {
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY)
    if (!event.ctrlKey && !sideways) return
    event.preventDefault()
    const about = (event.clientX - over.getBoundingClientRect().left) / on.width()
    const range = event.ctrlKey
      ? on.zoomedRange(Math.exp(event.deltaY / 300), about, 0)
      : on.zoomedRange(1, 0, event.deltaX / on.width())
    if (!range) return
    on.move(range)
    clearTimeout(timer)
    timer = window.setTimeout(() => on.settle(range), SETTLED_MS)
  }

  over.addEventListener('mousedown', startPan)
  over.addEventListener('wheel', onWheel, { passive: false })
}
