import { Menu } from '@mantine/core'
import type { ReactNode } from 'react'
import type { Point } from './grid/Grid'

/** A menu at a point of the page. */
export function PopMenu({ at, label, onClose, children }: { at: Point; label: string; onClose: () => void; children: ReactNode }) {
  return (
    <Menu opened onClose={onClose} position="bottom-start" shadow="md" returnFocus withinPortal trapFocus offset={2} transitionProps={{ duration: 0 }}>
      <Menu.Target>
        <span aria-hidden style={{ position: 'fixed', left: at.x, top: at.y, width: 1, height: 1 }} />
      </Menu.Target>
      <Menu.Dropdown aria-label={label} mah="70vh" style={{ overflowY: 'auto' }}>
        {children}
      </Menu.Dropdown>
    </Menu>
  )
}
