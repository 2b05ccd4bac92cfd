import css from './TableView.module.css'
import { Anchor, Text, useComputedColorScheme } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import { placeOf, type Place } from '../api/paths'
import { steadyTableQuery, type ColumnInfo } from '../api/table'
import { STROKE_COLUMNS, strokeFor } from '../lib/runStroke'
import { runAddress } from '../lib/pageAddress'
import { columnsQuery } from '../project/columnCatalogue'
import { isNumeric } from '../project/cellText'
import { labelOf, layoutOf, type Column } from '../project/columns'
import { valueCell } from '../project/grid/Cell'
import { Failed } from '../shell/Failed'
import { Waiting } from '../shell/Waiting'
import { strings } from '../strings'
import { defaultView } from '../view/view'
import type { TableBlock } from './blocks'

const texts = strings.reports

/** Show the runs of a block in a table, live. */
export function TableView({ block, entity, project }: Place & { block: TableBlock }) {
  const place = { entity, project }
  const scheme = useComputedColorScheme('light')
  const catalogue = useQuery(columnsQuery(place)).data?.columns
  const columns = useMemo(() => columnsOf(block.columns, catalogue ?? []), [block.columns, catalogue])
  const fixed = block.runs.length > 0
  const { data, error, refetch } = useQuery(
    steadyTableQuery(place, {
      ...{ filter: fixed ? '' : block.filter, search: '', sort: sortOf(block), offset: 0 },
      ...{ columns: [...new Set([...STROKE_COLUMNS, ...block.columns])], limit: block.limit },
      ...(fixed && { ids: block.runs }),
    }),
  )
  if (error && !data) return <Failed error={error} reset={() => void refetch()} />
  if (!data || !catalogue) return <Waiting height={120} />
  const title = block.title || texts.table
  return (
    <figure className={`panel ${css.figure}`}>
      {block.title && <figcaption className={css.caption}>{block.title}</figcaption>}
      {data.runs.length ? (
        <div className={css.scroller} tabIndex={0} role="region" aria-label={texts.tableRegion(title)}>
          <table className={css.table}>
            <thead>
              <tr>
                <th scope="col">{texts.run}</th>
                {columns.map((column) => (
                  <th key={column.name} scope="col" className={isNumeric(column) ? css.number : undefined}>
                    <Head column={column} />
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {data.runs.map((id, i) => {
                const { name, ordinal, color } = data.columns
                return (
                  <tr key={id}>
                    <th scope="row">
                      <span className={css.name}>
                        <svg width="10" height="10" aria-hidden>
                          <circle cx="5" cy="5" r="5" fill={strokeFor(ordinal?.[i], color?.[i], scheme).color} />
                        </svg>
                        <Anchor component={Link} to={runAddress({ ...placeOf(place), id })} inherit>
                          {String(name?.[i] ?? id)}
                        </Anchor>
                      </span>
                    </th>
                    {columns.map((column) => (
                      <td key={column.name} className={isNumeric(column) ? css.number : undefined}>
                        {valueCell(column, data.columns[column.name]?.[i])}
                      </td>
                    ))}
                  </tr>
                )
              })}
            </tbody>
          </table>
        </div>
      ) : (
        <Text c="dimmed" size="sm" p="md">
          {fixed ? texts.noChosen : texts.noRuns}
        </Text>
      )}
      {data.total > data.runs.length && (
        <Text c="dimmed" size="xs" px="md" pb="xs">
          {texts.shown(data.runs.length, data.total)}
        </Text>
      )}
    </figure>
  )
}

const NEWEST = [{ column: 'created', descending: true }]

/** The order of the runs: the newest first, unless the block says otherwise. */
export const sortOf = (block: TableBlock) => (block.sort.length ? block.sort : NEWEST)

function Head({ column }: { column: Column }) {
  const { label, from } = labelOf(column)
  return (
    <>
      {from && <small className={css.from}>{from}</small>}
      {label}
    </>
  )
}

/** Return the columns in their order, without those that no run has; the run's name has its own. */
function columnsOf(names: string[], catalogue: ColumnInfo[]): Column[] {
  const layout = layoutOf({ ...defaultView.columns, order: names, hidden: [] }, catalogue)
  const all = new Map(layout.all.map((one) => [one.name, one]))
  return names.flatMap((name) => (name === 'name' ? [] : (all.get(name) ?? [])))
}
