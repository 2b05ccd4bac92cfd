import { Box, Skeleton } from '@mantine/core'
import { strings } from '../strings'

/** A placeholder for content that is loading. */
export function Waiting({ height = 220 }: { height?: number }) {
  return (
    <Box p="lg" role="status" aria-label={strings.common.loading}>
      <Skeleton h={height} />
    </Box>
  )
}
