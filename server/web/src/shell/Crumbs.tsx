import { Anchor, Group, Text } from '@mantine/core'
import { Link, useParams } from '@tanstack/react-router'

/** Where we are: the project, and a way back to it from its runs. */
export function Crumbs() {
  const { entity, project } = useParams({ strict: false })
  if (!entity || !project) return null
  return (
    <Group gap={6} wrap="nowrap" miw={0}>
      <Text c="dimmed" aria-hidden>
        /
      </Text>
      <Anchor component={Link} to={`/projects/${encodeURIComponent(entity)}/${encodeURIComponent(project)}`} c="inherit" truncate>
        {entity} / {project}
      </Anchor>
    </Group>
  )
}
