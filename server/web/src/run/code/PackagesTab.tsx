import codeTabCss from './CodeTab.module.css'
import css from './PackagesTab.module.css'

import { Group, Text } from '@mantine/core'
import { useMemo, useState } from 'react'
import { CopyWords } from '../../shell/CopyButton'
import { Empty } from '../../shell/Empty'
import { Failed } from '../../shell/Failed'
import { Waiting } from '../../shell/Waiting'
import { SearchField } from '../../shell/SearchField'
import { strings } from '../../strings'
import { useContent, useFiles } from '../files/useFiles'
import type { TabProps } from '../props'
import { parseRequirements } from './requirements'

export const REQUIREMENTS = 'requirements.txt'
const MOST = 4 * 1024 * 1024

/** List the packages that were installed for the training process. */
export function PackagesTab({ run }: TabProps) {
  const { data: files } = useFiles(run)
  const file = files?.find((one) => one.name === REQUIREMENTS)
  const { data: content, error, refetch } = useContent(run, file, MOST)
  const [search, setSearch] = useState('')
  const text = useMemo(() => new TextDecoder().decode(content), [content])
  if (files && !file) return <Empty title={strings.packages.none}>{strings.packages.noneText}</Empty>
  if (file && !file.stored) return <Empty title={strings.files.notStored} />
  if (error) return <Failed error={error} reset={() => void refetch()} />
  if (!content) return <Waiting />
  const all = parseRequirements(text)
  const wanted = search.trim().toLowerCase()
  const shown = all.filter((one) => `${one.name} ${one.version} ${one.source}`.toLowerCase().includes(wanted))
  const hasSources = all.some((one) => one.source)
  return (
    <div className={`${codeTabCss.code} ${css.packages}`}>
      <Group justify="space-between">
        <Group gap="sm">
          <SearchField label={strings.packages.search} value={search} onChange={setSearch} size="sm" />
          <Text size="sm" c="dimmed" role="status">
            {wanted ? strings.values.of(shown.length, all.length) : strings.packages.count(all.length)}
          </Text>
        </Group>
        <CopyWords text={text} label={`${strings.common.copy} ${REQUIREMENTS}`} />
      </Group>
      {shown.length ? (
        <div className="panel">
          <table>
            <thead>
              <tr>
                <th scope="col">{strings.packages.name}</th>
                <th scope="col">{strings.packages.version}</th>
                {hasSources && <th scope="col">{strings.packages.source}</th>}
              </tr>
            </thead>
            <tbody>
              {shown.map((one, i) => (
                <tr key={i}>
                  <td className="wrap">{one.name}</td>
                  <td className="mono">{one.version}</td>
                  {hasSources && <td className="wrap">{one.source}</td>}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <Empty title={strings.packages.noMatch} />
      )}
    </div>
  )
}
