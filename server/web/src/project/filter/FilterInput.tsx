import css from './FilterInput.module.css'
import { IconFilter, IconX } from '@tabler/icons-react'
import { useEffect, useId, useLayoutEffect, useRef, useState, type KeyboardEvent } from 'react'
import { strings } from '../../strings'
import { FilterError } from '../../api/client'
import type { Place } from '../../api/paths'
import type { ColumnInfo } from '../../api/table'
import { useColumnSearch } from '../columnCatalogue'
import { complete, isFinished, typedName, type Completion } from './completion'

const texts = strings.project.filter
const SETTLED_MS = 450

interface FilterInputProps {
  place: Place
  value: string
  catalogue: ColumnInfo[]
  /** The server's error about the current filter, such as one from an old link */
  error: Error | null
  /** Asks the server to parse a filter; throws if it is invalid */
  check: (filter: string) => Promise<unknown>
  onChange: (filter: string) => void
}

/**
 * Edit the filter as text. It is applied on Enter, on leaving the field, and when typing pauses at a complete
 * expression. An invalid filter is not applied, and the error is underlined. Suggestions are a combobox: arrow keys
 * choose one, Tab or Enter accepts it, Escape closes them.
 */
export function FilterInput({ place, value, catalogue, error: wrong, check, onChange }: FilterInputProps) {
  const [draft, setDraft] = useState(value)
  const [caret, setCaret] = useState(0)
  const [open, setOpen] = useState(false)
  const [chosen, setChosen] = useState(-1)
  const input = useRef<HTMLInputElement>(null)
  const scrolled = useRef<HTMLDivElement>(null)
  /** Where to put the caret after a suggestion was accepted */
  const goTo = useRef<number | null>(null)
  const id = useId()

  const [refused, setRefused] = useState<{ text: string; error: Error } | null>(null)
  const told = useRef(value)
  useEffect(() => {
    // A chip, undo or a saved view changed it.
    if (value === told.current) return
    told.current = value
    setDraft(value)
  }, [value])

  const use = async (typed: string) => {
    const text = typed.trim()
    if (text === told.current) return
    told.current = text
    try {
      if (text) await check(text)
    } catch (error) {
      setRefused({ text, error: error as Error })
      return
    }
    if (told.current === text) onChange(text)
  }
  const latest = useRef(use)
  latest.current = use
  useEffect(() => {
    if (!isFinished(draft)) return
    const timer = setTimeout(() => void latest.current(draft), SETTLED_MS)
    return () => clearTimeout(timer)
  }, [draft])
  const typed = draft.trim()
  const error = refused?.text === typed ? refused.error : typed === value ? wrong : null

  useColumnSearch(place, open ? typedName(draft, caret) : '')
  const { from, to, options } = open ? complete(draft, caret, catalogue) : { from: 0, to: 0, options: [] }
  const current = chosen < options.length ? chosen : -1
  const take = (option: Completion) => {
    const text = `${draft.slice(0, from)}${option.text} `
    const rest = draft.slice(to).trimStart()
    setDraft(text + rest)
    setCaret(text.length)
    setChosen(-1)
    goTo.current = text.length
    input.current?.focus()
  }
  useLayoutEffect(() => {
    if (goTo.current === null) return
    input.current?.setSelectionRange(goTo.current, goTo.current)
    goTo.current = null
  })

  const onKeyDown = (event: KeyboardEvent) => {
    const { key } = event
    if (key === 'ArrowDown' || key === 'ArrowUp') {
      if (!open) return setOpen(true)
      const step = key === 'ArrowDown' ? 1 : -1
      setChosen((now) => (now + step + options.length + (now < 0 && step < 0 ? 1 : 0)) % Math.max(1, options.length))
    } else if ((key === 'Enter' || key === 'Tab') && open && options[current]) take(options[current])
    else if (key === 'Enter') {
      setOpen(false)
      void use(draft)
      event.preventDefault()
      return
    } else if (key === 'Escape' && open) setOpen(false)
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  const where = error instanceof FilterError ? error : null
  const [before, wrongPart] = where ? parted(draft, where) : ['', '']
  return (
    <div className={css.input}>
      <div className={`${css.field} ${error ? css.wrong : ''}`}>
        <IconFilter size={15} aria-hidden />
        <div className={css.text}>
          {where && (
            <div className={css.under} ref={scrolled} aria-hidden>
              {before}
              <u>{wrongPart || ' '}</u>
            </div>
          )}
          <input
            ref={input}
            role="combobox"
            aria-label={texts.label}
            aria-expanded={options.length > 0}
            aria-controls={`${id}-list`}
            aria-autocomplete="list"
            aria-activedescendant={options[current] ? `${id}-${current}` : undefined}
            aria-invalid={error ? true : undefined}
            aria-describedby={error ? `${id}-error` : undefined}
            placeholder={texts.placeholder}
            spellCheck={false}
            autoComplete="off"
            autoCapitalize="off"
            value={draft}
            onChange={(event) => {
              setDraft(event.target.value)
              setCaret(event.target.selectionStart ?? event.target.value.length)
              setOpen(true)
              setChosen(-1)
            }}
            onSelect={(event) => setCaret(event.currentTarget.selectionStart ?? 0)}
            onScroll={(event) => {
              if (scrolled.current)
                scrolled.current.style.transform = `translateX(${-event.currentTarget.scrollLeft}px)`
            }}
            onMouseDown={() => setOpen(true)}
            onBlur={() => {
              setOpen(false)
              void use(draft)
            }}
            onKeyDown={onKeyDown}
          />
        </div>
        {draft && (
          <button
            type="button"
            className={css.clear}
            aria-label={texts.clear}
            onClick={() => {
              setDraft('')
              void use('')
              input.current?.focus()
            }}
          >
            <IconX size={14} />
          </button>
        )}
      </div>
      {error && (
        <p id={`${id}-error`} role="alert" className={css.error}>
          {error.message}
        </p>
      )}
      <ul id={`${id}-list`} role="listbox" aria-label={texts.suggestions} className={css.list} hidden={!options.length}>
        {options.map((option, i) => (
          <li
            key={option.text}
            id={`${id}-${i}`}
            role="option"
            aria-selected={i === current}
            ref={i === current ? (item) => item?.scrollIntoView({ block: 'nearest' }) : undefined}
            onMouseDown={(event) => {
              event.preventDefault()
              take(option)
            }}
          >
            <span>{option.text}</span>
            <small>{option.detail}</small>
          </li>
        ))}
      </ul>
    </div>
  )
}

/** Split a text at an error. The server counts code points of the trimmed text. */
function parted(text: string, { position, length }: FilterError): [before: string, wrong: string] {
  const spaces = text.slice(0, text.length - text.trimStart().length)
  const characters = Array.from(text.trimStart())
  return [
    spaces + characters.slice(0, position).join(''),
    characters.slice(position, position + Math.max(1, length)).join(''),
  ]
}
