import { useMemo, useRef, useState, type ReactNode } from 'react'
import type { ChartsView } from '../../view/view'
import { Sync, ZoomContext, type Range } from './sync'

interface Props {
  view: ChartsView
  kind: 'history' | 'system'
  onChange: (change: Partial<ChartsView>) => void
  children: ReactNode
}

/** Share the zoom of line panels. Along the x of all panels it is part of the view; along a panel's own x it is not. */
export function ZoomProvider({ view, kind, onChange, children }: Props) {
  const sync = useMemo(() => new Sync(), [])
  const [others, setOthers] = useState<Record<string, Range | null>>({})
  const latest = useRef(onChange)
  latest.current = onChange
  const common = kind === 'system' && view.x === '_step' ? '_runtime' : view.x
  const { zoom } = view
  const zooms = useMemo(
    () => ({
      sync,
      zoomOf: (x: string) => (x === common ? zoom : (others[x] ?? null)),
      setZoom: (x: string, range: Range | null) => {
        if (x === common) latest.current({ zoom: range })
        else setOthers((before) => ({ ...before, [x]: range }))
      },
    }),
    [sync, common, zoom?.[0], zoom?.[1], others],
  )
  return <ZoomContext value={zooms}>{children}</ZoomContext>
}
