import css from './List.module.css'
import { Button, Group, Stack, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import type { List as Pages } from '../api/pages'
import { Failed } from '../shell/Failed'
import { Waiting } from '../shell/Waiting'
import { strings } from '../strings'

const texts = strings.access

interface ListProps<T> {
  list: Pages<T>
  /** Accessible name */
  label: string
  /** What was searched for */
  search?: string
  /** Shown if there is nothing at all */
  empty: ReactNode
  idOf: (item: T) => string
  row: (item: T) => ReactNode
}

/** Show a list that loads page by page. */
export function List<T>({ list, label, search, empty, idOf, row }: ListProps<T>) {
  const { items, error, more, total } = list
  if (error && !items) return <Failed error={error} reset={list.retry} />
  if (!items) return <Waiting height={96} />
  if (!items.length && !more) {
    return search ? (
      <Text c="dimmed">{texts.noMatch(search)}</Text>
    ) : (
      <Text component="div" c="dimmed">
        {empty}
      </Text>
    )
  }
  return (
    <Stack gap="xs">
      <ul className={`panel ${css.list}`} aria-label={label}>
        {items.map((item) => (
          <li key={idOf(item)} className={css.row}>
            {row(item)}
          </li>
        ))}
      </ul>
      {more && (
        <Group gap="sm">
          <Button size="compact-sm" variant="default" onClick={more} loading={list.loading}>
            {texts.more}
          </Button>
          <Text size="sm" c="dimmed" role="status">
            {texts.shown(items.length, total)}
          </Text>
        </Group>
      )}
    </Stack>
  )
}

/** The parts of a row: what it is about, with a line of facts below, and its controls. */
export function Row({ title, facts, children }: { title: ReactNode; facts?: ReactNode[]; children?: ReactNode }) {
  const shown = facts?.filter((one) => one !== null && one !== undefined && one !== '' && one !== false) ?? []
  return (
    <>
      <div className={css.main}>
        <Text component="div" fw={500} className="wrap">
          {title}
        </Text>
        {shown.length > 0 && (
          <Text size="sm" c="dimmed" className="wrap">
            {shown.map((one, i) => (
              <span key={i}>
                {i > 0 && ' · '}
                {one}
              </span>
            ))}
          </Text>
        )}
      </div>
      {children && <div className={css.side}>{children}</div>}
    </>
  )
}
