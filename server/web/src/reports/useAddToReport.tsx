import { Suspense, useState, type ReactNode } from 'react'
import { useRights } from '../access/rights'
import type { Place } from '../api/paths'
import type { PanelSpec } from '../charts/panelSpec'
import { lazyLoad } from '../shell/lazyLoad'
import type { PanelChoice } from './choiceOf'

const AddToReport = lazyLoad(() => import('./AddToReport').then((it) => it.AddToReport))

/**
 * Return what opens the dialog that adds a panel to a report, undefined for those who may not edit, and the dialog.
 * `choice` returns the runs that the panel shows.
 */
export function useAddToReport(
  place: Place,
  choice: () => PanelChoice | Promise<PanelChoice>,
): { onReport: ((panel: PanelSpec) => void) | undefined; dialog: ReactNode } {
  const mayEdit = useRights(place.entity, place.project).has('edit')
  const [panel, setPanel] = useState<PanelSpec | null>(null)
  const dialog = panel && (
    <Suspense>
      <AddToReport {...{ place, panel, choice }} onClose={() => setPanel(null)} />
    </Suspense>
  )
  return { onReport: mayEdit ? setPanel : undefined, dialog }
}
