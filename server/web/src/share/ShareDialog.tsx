import { Button, Group, Modal, Stack, Text, Title } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { ExpirySelect } from '../access/Expiry'
import { Once } from '../access/Once'
import { makeLink, type LinkKind } from '../api/links'
import type { Place } from '../api/paths'
import { showError } from '../shell/showError'
import { strings } from '../strings'
import { Links } from './Links'

const texts = strings.share
const USUAL_DAYS = 30

export interface ShareDialogProps extends Place {
  kind: LinkKind
  /** Id of the run or report, or name of the view; null for the project */
  target: string | null
  /** What it is called, for the title */
  name: string
  onClose: () => void
}

/** Make, list and revoke links through which anyone can read a project, or a run, view or report in it. */
export function ShareDialog({ entity, project, kind, target, name, onClose }: ShareDialogProps) {
  const [days, setDays] = useState<number | null>(USUAL_DAYS)
  const make = useMutation({
    mutationFn: () => makeLink({ entity, project }, kind, target, days),
    onError: showError,
  })
  return (
    <Modal
      opened
      onClose={onClose}
      title={texts.title[kind](name)}
      size="lg"
      closeButtonProps={{ 'aria-label': strings.common.close }}
    >
      <Stack gap="md">
        <Text>{texts.text[kind]}</Text>
        <Group align="flex-end" gap="sm">
          <ExpirySelect value={days} onChange={setDays} />
          <Button loading={make.isPending} onClick={() => make.mutate()} data-autofocus>
            {texts.create}
          </Button>
        </Group>
        {make.data && <Once key={make.data.id} label={texts.link} secret={make.data.url} />}
        <Title order={3} size="h6">
          {texts.links}
        </Title>
        <Links {...{ entity, project }} only={{ kind, target }} empty={texts.none} />
      </Stack>
    </Modal>
  )
}
