import { Group, Kbd, Modal, Stack, Text, Title } from '@mantine/core'
import { useParams } from '@tanstack/react-router'
import { Fragment } from 'react'
import { useRights, type Right } from '../access/rights'
import { IS_SHARED } from '../api/session'
import { strings } from '../strings'

const isApple = /Mac|iPhone|iPad/.test(navigator.userAgent)
const nameOf = (key: string) => (key === 'mod' ? (isApple ? '⌘' : 'Ctrl') : key)

/** List all keyboard shortcuts. */
export function Shortcuts({ opened, close }: { opened: boolean; close: () => void }) {
  const { entity = '', project = '' } = useParams({ strict: false })
  const rights = useRights(entity, project)
  // Outside of a project, the list is of all that there is.
  const isFor = (key: object) => !('needs' in key) || (!IS_SHARED && !project) || rights.has(key.needs as Right)
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={strings.shortcuts.title}
      size="lg"
      closeButtonProps={{ 'aria-label': strings.common.close }}
    >
      <Stack gap="lg">
        {strings.shortcuts.groups.map((group) => (
          <Stack key={group.name} gap={6}>
            <Title order={3} size="h6" c="dimmed">
              {group.name}
            </Title>
            {group.keys.filter(isFor).map(({ keys, does }) => (
              <Group key={does} justify="space-between" wrap="nowrap">
                <Text size="sm">{does}</Text>
                <Group gap={4} wrap="nowrap">
                  {keys.map((key, i) => (
                    <Fragment key={key}>
                      {i > 0 && (keys as readonly string[]).includes('mod') && <span aria-hidden>+</span>}
                      <Kbd>{nameOf(key)}</Kbd>
                    </Fragment>
                  ))}
                </Group>
              </Group>
            ))}
          </Stack>
        ))}
      </Stack>
    </Modal>
  )
}
