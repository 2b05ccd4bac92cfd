import css from './ValuesTab.module.css'
import factsCss from './Facts.module.css'
import { Group, Title } from '@mantine/core'
import { useState } from 'react'
import { CopyWords } from '../shell/CopyButton'
import { Empty } from '../shell/Empty'
import { SearchField } from '../shell/SearchField'
import { strings } from '../strings'
import type { TabProps } from './props'
import { urlOf } from '../api/paths'
import { ValuesTree } from './ValuesTree'
import { stringify } from './values'

/** Show config and summary of a run. */
export function ValuesTab({ run }: TabProps) {
  const [search, setSearch] = useState('')
  return (
    <div className={css.values}>
      <SearchField label={strings.values.search} value={search} onChange={setSearch} size="sm" maw={420} />
      <div className={css.both}>
        <Values
          title={strings.values.config}
          values={run.config}
          base={urlOf(run)}
          search={search}
          empty={<Empty title={strings.values.noConfig}>{strings.values.noConfigText}</Empty>}
        />
        <Values
          title={strings.values.summary}
          values={run.summary}
          base={urlOf(run)}
          search={search}
          empty={<Empty title={strings.values.noSummary}>{strings.values.noSummaryText}</Empty>}
        />
      </div>
    </div>
  )
}

interface ValuesProps {
  title: string
  values: Record<string, unknown>
  base: string
  search: string
  empty: React.ReactNode
}

function Values({ title, values, base, search, empty }: ValuesProps) {
  const some = Object.keys(values).length > 0
  return (
    <section className={`panel ${factsCss.facts}`}>
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h5">
          {title}
        </Title>
        {some && <CopyWords text={stringify(values, 2)} label={strings.values.copyJson} />}
      </Group>
      {some ? <ValuesTree values={values} base={base} search={search} /> : empty}
    </section>
  )
}
