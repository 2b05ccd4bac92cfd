import { Menu } from '@mantine/core'
import { useEffect, type ReactNode } from 'react'

/** A place on the screen, in pixels. */
export interface Point {
  x: number
  y: number
}

/** Return the place for a menu below the element that opens it. */
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
    // The element that had the focus may be gone, such as the header of a hidden column.
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
