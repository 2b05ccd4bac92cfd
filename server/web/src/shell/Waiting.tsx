import { Box, Skeleton } from '@mantine/core'
import { strings } from '../strings'

/** Stands where something is on its way. */
export function Waiting({ height = 220 }: { height?: number }) {
  return (
    <Box p="lg" role="status" aria-label={strings.common.loading}>
      <Skeleton h={height} />
    </Box>
  )
}
