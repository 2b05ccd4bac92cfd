import { useDebouncedCallback } from '@mantine/hooks'
import { useState } from 'react'
import { SearchField } from '../shell/SearchField'

const PAUSE_MS = 250
const MANY = 8

interface SearchedProps {
  label: string
  /** Number of items; a short list needs no search */
  total: number
  search: string
  onSearch: (text: string) => void
}

/** A search field above a long list; searches when typing pauses. */
export function Searched({ label, total, search, onSearch }: SearchedProps) {
  const [text, setText] = useState(search)
  const later = useDebouncedCallback(onSearch, PAUSE_MS)
  if (total <= MANY && !search && !text) return null
  return (
    <SearchField
      label={label}
      value={text}
      onChange={(next) => {
        setText(next)
        later(next.trim())
      }}
      size="sm"
      w={320}
      maw="100%"
    />
  )
}
