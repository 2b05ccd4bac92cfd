import { Menu } from '@mantine/core'
import { useEffect, type ReactNode } from 'react'

/** A place on the screen, in pixels. */
export interface Point {
  x: number
  y: number
}

/** Where a menu belongs that an element opens. */
export function below(element: Element): Point {
  const { left, bottom } = element.getBoundingClientRect()
  return { x: left, y: bottom }
}

/** A menu at a point of the page. */
export function PopMenu({
  at,
  label,
  onClose,
  children,
}: {
  at: Point
  label: string
  onClose: () => void
  children: ReactNode
}) {
  useEffect(
    // What had the focus before may have made way, such as the head of a column that was hidden.
    () => () =>
      void setTimeout(() => {
        if (document.activeElement === document.body)
          document.querySelector<HTMLElement>('[role="grid"] [tabindex="0"]')?.focus()
      }),
    [],
  )
  return (
    <Menu
      opened
      onClose={onClose}
      position="bottom-start"
      shadow="md"
      returnFocus
      withinPortal
      trapFocus
      withInitialFocusPlaceholder={false}
      offset={2}
      transitionProps={{ duration: 0 }}
    >
      <Menu.Target>
        <span aria-hidden style={{ position: 'fixed', left: at.x, top: at.y, width: 1, height: 1 }} />
      </Menu.Target>
      <Menu.Dropdown aria-label={label} mah="70vh" style={{ overflowY: 'auto' }}>
        {children}
      </Menu.Dropdown>
    </Menu>
  )
}
