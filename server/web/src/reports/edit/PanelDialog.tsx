import { useState } from 'react'
import type { Place } from '../../api/paths'
import { EditDialog } from '../../charts/edit/EditDialog'
import type { PanelSpec } from '../../charts/panelSpec'
import { useDrawing } from '../../charts/useDrawing'
import { defaultCharts } from '../../view/view'
import { newId, type PanelBlock } from '../blocks'
import { usePanelRuns } from '../usePanelRuns'

interface Props {
  place: Place
  /** The block to edit; null for a new one */
  block: PanelBlock | null
  onClose: () => void
  onSave: (block: PanelBlock) => void
}

const NEW: Omit<PanelBlock, 'panel' | 'id'> = { kind: 'panel', runs: [], filter: '', limit: 10, view: {} }
const NO_GROUPS: never[] = []

/** Edit what a panel block shows of its runs. */
export function PanelDialog({ place, block, onClose, onSave }: Props) {
  const [settings] = useState(block ?? NEW)
  const { runs, groups = NO_GROUPS, view } = usePanelRuns(place, settings)
  const kind = settings.view.system ? 'system' : 'history'
  const { bands, drawn, keys } = useDrawing(runs, groups, settings.limit, kind)
  const save = (panel: PanelSpec) => onSave({ ...settings, id: block?.id ?? newId(), panel })
  return (
    <EditDialog
      spec={block?.panel ?? null}
      inSection={false}
      context={{
        ...{ ...place, kind, keys, runs: drawn, groups: bands, filter: view.filter, search: '' },
        ...{ view: { ...defaultCharts, ...view.charts }, ids: settings.runs.length ? settings.runs : null },
      }}
      onClose={onClose}
      onSave={save}
    />
  )
}
