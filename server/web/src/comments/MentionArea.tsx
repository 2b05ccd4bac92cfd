import css from './MentionArea.module.css'
import { Textarea } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useId, useLayoutEffect, useRef, useState, type KeyboardEvent } from 'react'
import { mentionsQuery } from '../api/comments'
import type { Place } from '../api/paths'
import { strings } from '../strings'
import { completed, typedMention } from './mention'

const NO_NAMES: string[] = []

interface Props {
  /** Accessible name */
  label: string
  value: string
  /** The project whose readers can be mentioned */
  place: Place
  onChange: (text: string) => void
  /** Ctrl+Enter */
  onSend: () => void
  onCancel?: () => void
  autoFocus?: boolean
}

/** A text field that completes `@name`: arrow keys choose, Enter or Tab accepts, Escape closes the list. */
export function MentionArea({ label, value, place, onChange, onSend, onCancel, autoFocus }: Props) {
  const area = useRef<HTMLTextAreaElement>(null)
  const [caret, setCaret] = useState(0)
  const [chosen, setChosen] = useState(0)
  const [closed, setClosed] = useState(true)
  const goTo = useRef<number | null>(null)
  const id = useId()
  const mention = closed ? null : typedMention(value, caret)
  const { data: found } = useQuery({
    ...mentionsQuery(place, mention?.typed ?? ''),
    enabled: mention !== null,
    placeholderData: keepPreviousData,
  })
  const options = (mention && found) ?? NO_NAMES
  const current = Math.min(chosen, options.length - 1)

  useLayoutEffect(() => {
    if (goTo.current === null) return
    area.current?.setSelectionRange(goTo.current, goTo.current)
    goTo.current = null
  })
  const take = (name: string) => {
    const made = completed(value, caret, mention!.from, name)
    goTo.current = made.caret
    setCaret(made.caret)
    setClosed(true)
    onChange(made.text)
    area.current?.focus()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const { key } = event
    if (key === 'Enter' && (event.ctrlKey || event.metaKey)) onSend()
    else if (options.length && (key === 'ArrowDown' || key === 'ArrowUp'))
      setChosen((current + (key === 'ArrowDown' ? 1 : options.length - 1)) % options.length)
    else if (options.length && (key === 'Enter' || key === 'Tab')) take(options[current]!)
    else if (options.length && key === 'Escape') setClosed(true)
    else if (key === 'Escape' && onCancel) onCancel()
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    <div className={css.field}>
      <Textarea
        ref={area}
        role="combobox"
        aria-label={label}
        aria-expanded={options.length > 0}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={options.length ? `${id}-${current}` : undefined}
        placeholder={strings.comments.placeholder}
        autosize
        minRows={2}
        maxRows={20}
        autoFocus={autoFocus}
        value={value}
        onChange={(event) => {
          onChange(event.currentTarget.value)
          setCaret(event.currentTarget.selectionStart)
          setChosen(0)
          setClosed(false)
        }}
        onSelect={(event) => setCaret(event.currentTarget.selectionStart)}
        onBlur={() => setClosed(true)}
        onKeyDown={onKeyDown}
      />
      <ul
        id={`${id}-list`}
        role="listbox"
        aria-label={strings.comments.mentions}
        className={css.list}
        hidden={!options.length}
      >
        {options.map((name, i) => (
          <li
            key={name}
            id={`${id}-${i}`}
            role="option"
            aria-selected={i === current}
            onMouseDown={(event) => {
              event.preventDefault()
              take(name)
            }}
          >
            {name}
          </li>
        ))}
      </ul>
    </div>
  )
}
