import { ActionIcon, Button, Popover, Stack, Text, Tooltip } from '@mantine/core'
import { IconBuilding, IconLock, IconSettings } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { Rights } from '../access/rights'
import { TeamMembers } from '../access/TeamMembers'
import type { Place } from '../api/paths'
import { projectQuery } from '../api/views'
import { useWhoami } from '../api/whoami'
import { projectAddress } from '../lib/pageAddress'
import { strings } from '../strings'

const texts = strings.settings

/** Show who may see the project: its visibility and the members of its team. */
export function AccessMenu({ place, rights }: { place: Place; rights: Rights }) {
  const [open, setOpen] = useState(false)
  const { data } = useQuery(projectQuery(place))
  const isMine = useWhoami()?.name === place.entity
  const internal = data?.visibility === 'internal'
  const label = texts.accessOf(strings.access.visibilities[internal ? 'internal' : 'private'], data?.members ?? null)
  const Icon = internal ? IconBuilding : IconLock
  return (
    <Popover opened={open} onChange={setOpen} shadow="md" position="bottom-end" trapFocus returnFocus width={280}>
      <Popover.Target>
        <Tooltip label={label}>
          <ActionIcon
            size={32}
            variant="subtle"
            color="gray"
            aria-label={`${texts.access}: ${label}`}
            aria-expanded={open}
            onClick={() => setOpen(!open)}
          >
            <Icon size={17} />
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown p="sm">
        <Stack gap="sm">
          <div>
            <Text size="sm" fw={600}>
              {strings.access.visibilities[internal ? 'internal' : 'private']}
            </Text>
            <Text size="sm" c="dimmed" className="wrap">
              {internal
                ? texts.visibilityTexts.internal
                : isMine
                  ? texts.visibilityTexts.own
                  : texts.visibilityTexts.private(place.entity)}
            </Text>
          </div>
          <TeamMembers entity={place.entity} />
          {rights.has('manage_project') && (
            <Button
              component={Link}
              to={`${projectAddress(place.entity, place.project)}/settings`}
              variant="default"
              size="compact-sm"
              leftSection={<IconSettings size={15} />}
            >
              {texts.button}
            </Button>
          )}
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}
