import { Loader, Modal } from '@mantine/core'
import { Suspense } from 'react'
import { useFocusBack } from '../../lib/useFocusBack'
import { lazyLoad } from '../../shell/lazyLoad'
import { strings } from '../../strings'
import type { EditProps } from './props'

const EditForm = lazyLoad(() => import('./EditForm').then((it) => it.default))

/** Add or edit a panel. */
export function EditDialog(props: EditProps) {
  useFocusBack('[data-panels] button')
  const text = strings.charts.edit
  return (
    <Modal
      opened
      onClose={props.onClose}
      title={props.spec ? text.change : text.add}
      size="lg"
      closeButtonProps={{ 'aria-label': strings.common.close }}
    >
      <Suspense fallback={<Loader aria-label={strings.common.loading} />}>
        <EditForm {...props} />
      </Suspense>
    </Modal>
  )
}
