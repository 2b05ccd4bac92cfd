import css from './SearchBar.module.css'
import { ActionIcon, Group, Loader, Text, TextInput, Tooltip } from '@mantine/core'
import { IconChevronDown, IconChevronUp, IconRegex, IconSearch } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { strings } from '../../strings'
import type { useSearch } from './useSearch'

interface Props {
  search: ReturnType<typeof useSearch>
  /** The first visible line, where the search begins */
  go: (match: number) => void
}

/** The search field, the number of matches, and buttons to go from one to the next. */
export function SearchBar({ search, go }: Props) {
  const { text, regex, found, error, at, isSearching } = search
  const lines = found?.lines ?? []
  /** Enter was pressed before the matches arrived */
  const [early, setEarly] = useState(0)
  const step = (by: number) => {
    setEarly(search.isSettled ? 0 : by)
    if (!search.isSettled || !lines.length) return
    const next = at === null ? (by > 0 ? 0 : lines.length - 1) : (at + by + lines.length) % lines.length
    search.setAt(next)
    go(lines[next]!)
  }
  useEffect(() => {
    if (early && search.isSettled) step(early)
  })
  return (
    <Group gap={6} wrap="nowrap" className={css.search}>
      <TextInput
        type="search"
        size="xs"
        value={text}
        onChange={(event) => search.setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') step(event.shiftKey ? -1 : 1)
          if (event.key === 'Escape') {
            setEarly(0)
            search.setText('')
          }
        }}
        placeholder={strings.console.search}
        aria-label={strings.console.search}
        error={error ? error.message : undefined}
        leftSection={isSearching ? <Loader size={14} /> : <IconSearch size={14} />}
        rightSection={
          <Tooltip label={strings.console.regex}>
            <ActionIcon
              size="sm"
              variant={regex ? 'light' : 'subtle'}
              color={regex ? undefined : 'gray'}
              aria-label={strings.console.regex}
              aria-pressed={regex}
              onClick={() => search.setRegex(!regex)}
            >
              <IconRegex size={14} />
            </ActionIcon>
          </Tooltip>
        }
        className="grow"
      />
      {found && (
        <Text size="xs" c="dimmed" role="status" className={css.count}>
          {lines.length ? strings.console.matches((at ?? -1) + 1, lines.length, found.more) : strings.console.noMatches}
        </Text>
      )}
      <ActionIcon
        variant="subtle"
        color="gray"
        disabled={!lines.length}
        aria-label={strings.common.previous}
        onClick={() => step(-1)}
      >
        <IconChevronUp size={16} />
      </ActionIcon>
      <ActionIcon
        variant="subtle"
        color="gray"
        disabled={!lines.length}
        aria-label={strings.common.next}
        onClick={() => step(1)}
      >
        <IconChevronDown size={16} />
      </ActionIcon>
    </Group>
  )
}
