import css from './Frame.module.css'
import { Menu } from '@mantine/core'
import { IconArrowsMaximize, IconDots, IconGripVertical, IconPencil, IconReport, IconTrash } from '@tabler/icons-react'
import {
  useEffect,
  useRef,
  useState,
  type DragEvent,
  type KeyboardEvent,
  type PointerEvent,
  type ReactNode,
} from 'react'
import { below, PopMenu, type Point } from '../../shell/PopMenu'
import { strings } from '../../strings'

export const HEIGHT = 260

export interface FrameActions {
  onEdit: () => void
  onFull: () => void
  onRemove: () => void
  /** Adds the panel to a report; undefined where that is not possible */
  onReport?: () => void
  /** Moves the panel by a number of places */
  onMove: (by: number) => void
  /** Another panel, by its id, was dropped on this one */
  onDrop: (id: string) => void
  onResize: (width: number, height: number) => void
}

interface Props extends FrameActions {
  id: string
  title: string
  width: number
  height: number
  /** Columns of the panel grid */
  columns: number
  children: () => ReactNode
}

const DRAGGED = 'application/x-tracker-panel'

/**
 * A panel's box: title, actions, handles to move and resize it. Its content is rendered only near the screen. There may
 * be hundreds of panels, so the controls are plain elements.
 */
export function Frame({ id, title, width, height, columns, children, ...act }: Props) {
  const box = useRef<HTMLElement>(null)
  const near = useNear(box)
  const [target, setTarget] = useState(false)
  const [menu, setMenu] = useState<Point | null>(null)
  const text = strings.charts.panel

  const onDragOver = (event: DragEvent) => {
    if (!event.dataTransfer.types.includes(DRAGGED)) return
    event.preventDefault()
    setTarget(true)
  }
  const onDrop = (event: DragEvent) => {
    setTarget(false)
    const other = event.dataTransfer.getData(DRAGGED)
    if (other && other !== id) act.onDrop(other)
  }
  const onHandleKey = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key]
    if (!by) return
    event.preventDefault()
    act.onMove(by)
  }
  return (
    <section
      ref={box}
      className={`panel ${css.panel}`}
      aria-label={text.region(title)}
      data-target={target || undefined}
      style={{ gridColumn: `span ${Math.min(width, columns)}`, height }}
      onDragOver={onDragOver}
      onDragLeave={() => setTarget(false)}
      onDrop={onDrop}
    >
      <header className={css.head}>
        {/* Firefox lets no button be dragged */}
        <span
          role="button"
          tabIndex={0}
          className={css.handle}
          draggable
          aria-label={text.move(title)}
          title={text.move(title)}
          onKeyDown={onHandleKey}
          onDragStart={(event) => {
            event.dataTransfer.setData(DRAGGED, id)
            event.dataTransfer.effectAllowed = 'move'
            event.dataTransfer.setDragImage(box.current!, 20, 10)
          }}
        >
          <IconGripVertical size={14} aria-hidden />
        </span>
        <h4 title={title} className={css.title}>
          {title}
        </h4>
        <button
          type="button"
          className={css.action}
          onClick={act.onFull}
          title={text.full}
          aria-label={`${text.full}: ${title}`}
        >
          <IconArrowsMaximize size={14} aria-hidden />
        </button>
        <button
          type="button"
          className={css.action}
          aria-label={text.menu(title)}
          aria-haspopup="menu"
          aria-expanded={menu !== null}
          onClick={(event) => setMenu(below(event.currentTarget))}
        >
          <IconDots size={16} aria-hidden />
        </button>
      </header>
      {menu && (
        <PopMenu at={menu} label={text.menu(title)} onClose={() => setMenu(null)}>
          <Menu.Item leftSection={<IconPencil size={14} />} onClick={act.onEdit}>
            {text.edit}
          </Menu.Item>
          <Menu.Item leftSection={<IconArrowsMaximize size={14} />} onClick={act.onFull}>
            {text.full}
          </Menu.Item>
          {act.onReport && (
            <Menu.Item leftSection={<IconReport size={14} />} onClick={act.onReport}>
              {strings.addToReport.action}
            </Menu.Item>
          )}
          <Menu.Item leftSection={<IconTrash size={14} />} color="red" onClick={act.onRemove}>
            {text.remove}
          </Menu.Item>
        </PopMenu>
      )}
      {near ? children() : null}
      <Corner {...{ title, width, height, columns }} box={box} onResize={act.onResize} />
    </section>
  )
}

const HEIGHTS = [120, 1200] as const
const clamp = (value: number, low: number, high: number) => Math.max(low, Math.min(high, value))

/** The handle in the lower right corner. */
function Corner({
  title,
  width,
  height,
  columns,
  box,
  onResize,
}: Pick<Props, 'title' | 'width' | 'height' | 'columns' | 'onResize'> & { box: React.RefObject<HTMLElement | null> }) {
  const text = strings.charts.panel
  const onKeyDown = (event: KeyboardEvent) => {
    const [wider, higher] =
      { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -40], ArrowDown: [0, 40] }[event.key] ?? []
    if (wider === undefined) return
    event.preventDefault()
    onResize(clamp(width + wider, 1, columns), clamp(height + higher!, ...HEIGHTS))
  }
  const onPointerDown = (event: PointerEvent<HTMLButtonElement>) => {
    const element = box.current!
    const handle = event.currentTarget
    const [x, y] = [event.clientX, event.clientY]
    const start = element.getBoundingClientRect()
    const column = start.width / Math.min(width, columns)
    let result: [number, number] = [width, height]
    handle.setPointerCapture(event.pointerId)
    const move = (now: globalThis.PointerEvent) => {
      const spans = clamp(Math.round((start.width + now.clientX - x) / column), 1, columns)
      result = [spans, clamp(Math.round((start.height + now.clientY - y) / 10) * 10, ...HEIGHTS)]
      element.style.gridColumn = `span ${result[0]}`
      element.style.height = `${result[1]}px`
    }
    handle.addEventListener('pointermove', move)
    const end = () => {
      handle.removeEventListener('pointermove', move)
      if (result[0] !== width || result[1] !== height) onResize(...result)
    }
    handle.addEventListener('pointerup', end, { once: true })
  }
  return (
    <button
      type="button"
      className={css.corner}
      aria-label={text.resize(title)}
      title={text.resize(title)}
      {...{ onKeyDown, onPointerDown }}
    />
  )
}

/** Whether an element is near the screen. It is dropped only when much further away, so scrolling does not flicker. */
function useNear(ref: React.RefObject<HTMLElement | null>): boolean {
  const [near, setNear] = useState(false)
  useEffect(() => {
    const element = ref.current!
    const come = new IntersectionObserver(([entry]) => entry!.isIntersecting && setNear(true), {
      rootMargin: '300px 0px',
    })
    const go = new IntersectionObserver(([entry]) => !entry!.isIntersecting && setNear(false), {
      rootMargin: '1500px 0px',
    })
    come.observe(element)
    go.observe(element)
    return () => {
      come.disconnect()
      go.disconnect()
    }
  }, [ref])
  return near
}
