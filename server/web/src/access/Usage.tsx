import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { usageQuery } from '../api/usage'
import { size } from '../lib/format'
import { strings } from '../strings'

/** How much of its quota an account or team uses. */
export function Usage({ entity }: { entity: string }) {
  const { data: usage } = useQuery(usageQuery(entity))
  if (!usage) return null
  const quota = usage.quota == null ? null : size(usage.quota)
  return (
    <Text c="dimmed" size="sm">
      {strings.access.files(size(usage.used), quota)}
    </Text>
  )
}
