import { useComputedColorScheme } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import type { Place } from '../api/paths'
import type { ColumnInfo } from '../api/table'
import { columnsQuery } from '../project/columnCatalogue'
import { useDrawnRuns } from '../project/useDrawnRuns'
import { ALL } from '../project/visibility'
import { decodeView } from '../view/codec'
import type { PanelBlock } from './blocks'

const NO_COLUMNS: ColumnInfo[] = []
const NONE_WANTED: string[] = []

/** Return the runs or groups that a panel block shows, with the settings of its charts. */
export function usePanelRuns(place: Place, block: Pick<PanelBlock, 'runs' | 'filter' | 'limit' | 'view'>) {
  const scheme = useComputedColorScheme('light')
  const catalogue = useQuery(columnsQuery(place)).data?.columns ?? NO_COLUMNS
  const key = JSON.stringify([block.runs, block.filter, block.limit, block.view])
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text identifies the settings
  const view = useMemo(() => {
    const { sort, group, system: _, ...charts } = block.view
    const fixed = block.runs.length > 0
    return decodeView({
      ...{ layout: 'charts', filter: fixed ? '' : block.filter, hidden: fixed ? [ALL, ...block.runs] : [] },
      ...(sort?.length && { sort }),
      ...(!fixed && group && { group }),
      charts: { ...charts, limit: fixed ? Math.max(block.limit, block.runs.length) : block.limit },
    })
  }, [key])
  const question = useMemo(
    () => ({ filter: view.filter, search: '', sort: view.sort, trashed: false }),
    [view.filter, view.sort],
  )
  const { runs, groups, error } = useDrawnRuns(place, question, view, NONE_WANTED, catalogue, scheme)
  return { runs, groups, view, error, fixed: block.runs.length > 0 }
}
