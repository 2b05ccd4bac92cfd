import { useQueries } from '@tanstack/react-query'
import { useMemo } from 'react'
import { urlOf } from '../api/paths'
import { REQUIREMENTS } from '../run/code/PackagesTab'
import { parseRequirements } from '../run/code/requirements'
import { fetchPart } from '../run/files/fileContent'
import { Waiting } from '../shell/Waiting'
import type { CompareProps } from './props'
import { sideBySide } from './valueDifferences'
import { Searched } from './ValuesTab'

const MOST = 4 * 1024 * 1024

/** Compare the packages of the runs; a run without captured packages has none. */
export function PackagesTab(props: CompareProps) {
  const answers = useQueries({
    queries: props.runs.map((run) => ({
      queryKey: ['run', run.entity, run.project, run.id, 'packages', 'text'],
      queryFn: async ({ signal }: { signal: AbortSignal }) => {
        const content = await fetchPart(`${urlOf(run)}/files/${REQUIREMENTS}`, MOST, MOST, signal)
        return new TextDecoder().decode(content)
      },
      retry: false,
    })),
  })
  const texts = answers.map((one) => one.data ?? '')
  const text = JSON.stringify(texts)
  const rows = useMemo(
    () => sideBySide('', (JSON.parse(text) as string[]).map(versions)).sort((a, b) => a.name.localeCompare(b.name)),
    [text],
  )
  if (answers.some((one) => one.isPending)) return <Waiting />
  return <Searched {...props} rows={rows} />
}

const versions = (text: string) => new Map(parseRequirements(text).map((one) => [one.name, one.version || one.source]))
