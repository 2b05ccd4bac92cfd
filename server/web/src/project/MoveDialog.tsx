import { Group, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useState } from 'react'
import { Confirm } from '../access/Confirm'
import { EntityPicker } from '../access/EntityPicker'
import { moveRuns } from '../api/projectSettings'
import type { Place } from '../api/paths'
import { strings } from '../strings'

const texts = strings.settings

interface MoveDialogProps {
  place: Place
  ids: string[]
  onDone: () => void
  onClose: () => void
}

/** Move runs to another project. */
export function MoveDialog({ place, ids, onDone, onClose }: MoveDialogProps) {
  const [entity, setEntity] = useState(place.entity)
  const [project, setProject] = useState('')
  const to = { entity: entity.trim(), project: project.trim() }
  const same = to.entity === place.entity && to.project === place.project
  return (
    <Confirm
      title={texts.moveRunsTitle(ids.length)}
      text={texts.moveRunsText}
      act={texts.moveRuns}
      color="indigo"
      ready={to.entity !== '' && to.project !== '' && !same}
      onSure={async () => {
        await moveRuns(place, ids, to)
        notifications.show({ message: texts.movedRuns(ids.length, `${to.entity}/${to.project}`) })
        onDone()
      }}
      onClose={onClose}
    >
      <Group align="flex-start" gap="sm">
        <EntityPicker label={texts.to} value={entity} onChange={setEntity} kinds={['mine']} />
        <TextInput
          label={texts.project}
          value={project}
          onChange={(event) => setProject(event.currentTarget.value)}
          flex={1}
          data-autofocus
        />
      </Group>
    </Confirm>
  )
}
