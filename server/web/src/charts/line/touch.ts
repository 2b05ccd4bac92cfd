/** A point of the plotting area, in CSS pixels. */
interface Place {
  left: number
  top: number
}

/** A pan or zoom in progress. */
export interface Grip {
  /** Zoom and shift the range that was shown at the start, as `zoomedRange` does. */
  move: (factor: number, about: number, shift: number) => void
  /** Keep the range at the end of the movement. */
  end: () => void
}

/** What touches do to a chart. */
interface Touched {
  /** Where a touch has placed the cursor; null without one */
  shownAt: () => Place | null
  /** Show the values at a point; they stay after the finger is lifted. */
  pointTo: (place: Place) => void
  keep: () => void
  clear: () => void
  grip: () => Grip
}

/** A finger that moves further, in pixels, drags instead of tapping. */
const MOVED = 8
/** A second tap within so many pixels of the first pins the values. */
const AGAIN = 24

/** The smallest distance of two fingers, in pixels: closer ones would make the zoom jump. */
const CLOSEST = 24

interface Finger {
  x: number
  y: number
}

/**
 * Handle touch: a tap shows values, a drag along x moves the cursor, two fingers zoom and pan. Vertical drags scroll
 * the page. Mice and pens are ignored. Returns a function that stops listening.
 */
export function hearTouch(over: HTMLElement, on: Touched): () => void {
  const fingers = new Map<number, Finger>()
  let box = over.getBoundingClientRect()
  let from: Finger = { x: 0, y: 0 }
  let gesture: 'tap' | 'drag' | 'pinch' | 'other' = 'other'
  let lifted = false
  let grip: Grip | null = null
  let began = { middle: 0, apart: 0 }

  const placeOf = ({ x, y }: Finger): Place => ({
    left: within(x - box.left, box.width),
    top: within(y - box.top, box.height),
  })

  const pair = () => {
    const [one, two] = [...fingers.values()] as [Finger, Finger]
    const middle = ((one.x + two.x) / 2 - box.left) / box.width
    return { middle, apart: Math.max(CLOSEST, distance(one, two)) }
  }

  const down = (event: PointerEvent) => {
    if (event.pointerType !== 'touch') return
    const finger = { x: event.clientX, y: event.clientY }
    if (!fingers.size) {
      box = over.getBoundingClientRect()
      from = finger
      gesture = 'tap'
      lifted = false
      over.addEventListener('pointermove', move) // not before: a mouse moves often
    } else if (fingers.size > 1 || lifted) return // a third finger, or a new one after a pinch lost one
    fingers.set(event.pointerId, { ...finger })
    if (fingers.size < 2) return
    gesture = 'pinch'
    on.clear()
    grip = on.grip()
    began = pair()
  }

  const move = (event: PointerEvent) => {
    const finger = fingers.get(event.pointerId)
    if (!finger) return
    Object.assign(finger, { x: event.clientX, y: event.clientY })
    if (gesture === 'tap' && distance(finger, from) > MOVED)
      gesture = Math.abs(finger.x - from.x) > Math.abs(finger.y - from.y) ? 'drag' : 'other'
    if (gesture === 'drag') on.pointTo(placeOf(finger))
    else if (gesture === 'pinch') {
      const { middle, apart } = pair()
      const factor = began.apart / apart
      grip!.move(factor, began.middle, factor * (began.middle - middle)) // keeps the point between the fingers in place
    }
  }

  const up = (event: PointerEvent) => {
    const finger = fingers.get(event.pointerId)
    if (!finger) return
    fingers.delete(event.pointerId)
    if (gesture === 'pinch') grip!.end()
    else if (gesture === 'tap' && event.type === 'pointerup') tap(placeOf(finger))
    gesture = 'other'
    lifted = true
    if (!fingers.size) over.removeEventListener('pointermove', move)
  }

  const tap = (place: Place) => {
    const shown = on.shownAt()
    if (shown && Math.hypot(place.left - shown.left, place.top - shown.top) < AGAIN) on.keep()
    else on.pointTo(place)
  }

  // Without this, the browser scrolls with two fingers and sends mouse events after a tap.
  const moving = (event: TouchEvent) => event.touches.length > 1 && event.cancelable && event.preventDefault()
  const ending = (event: TouchEvent) => event.cancelable && event.preventDefault()

  const elsewhere = (event: MouseEvent) => {
    if (on.shownAt() && !over.closest('[role="application"]')?.contains(event.target as Node)) on.clear()
  }

  over.style.touchAction = 'pan-y'
  over.addEventListener('pointerdown', down)
  over.addEventListener('pointerup', up)
  over.addEventListener('pointercancel', up)
  over.addEventListener('touchmove', moving, { passive: false })
  over.addEventListener('touchend', ending, { passive: false })
  document.addEventListener('click', elsewhere)
  return () => document.removeEventListener('click', elsewhere)
}

const distance = (one: Finger, two: Finger): number => Math.hypot(one.x - two.x, one.y - two.y)

const within = (value: number, size: number): number => Math.max(0, Math.min(size, value))
