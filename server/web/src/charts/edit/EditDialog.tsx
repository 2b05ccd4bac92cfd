import { Loader, Modal } from '@mantine/core'
import { Suspense } from 'react'
import { useFocusBack } from '../../lib/focus'
import { later } from '../../shell/later'
import { strings } from '../../strings'
import type { PanelProps } from '../panel/props'
import type { PanelSpec } from '../spec'

const EditForm = later(() => import('./EditForm').then((it) => it.default))

export interface EditProps {
  /** The panel to change; null: a new one */
  spec: PanelSpec | null
  context: Omit<PanelProps, 'spec' | 'title'>
  onClose: () => void
  onSave: (panel: PanelSpec) => void
}

/** Makes a panel, or changes one. */
export function EditDialog(props: EditProps) {
  useFocusBack('.chart-wall button')
  const text = strings.charts.edit
  return (
    <Modal opened onClose={props.onClose} title={props.spec ? text.change : text.add} size="lg" closeButtonProps={{ 'aria-label': strings.common.close }}>
      <Suspense fallback={<Loader aria-label={strings.common.loading} />}>
        <EditForm {...props} />
      </Suspense>
    </Modal>
  )
}
