import css from './Chips.module.css'
import { ActionIcon, Popover } from '@mantine/core'
import { IconFilterPlus, IconX } from '@tabler/icons-react'
import { useState } from 'react'
import { readable } from '../../lib/format'
import { strings } from '../../strings'
import type { Place } from '../../api/paths'
import type { ColumnInfo } from '../../api/table'
import { ConditionForm } from './ConditionForm'
import { conditions, narrowed, replaced, without, type Condition } from './expression'

const texts = strings.project.filter

interface ChipsProps {
  place: Place
  filter: string
  catalogue: ColumnInfo[]
  onChange: (filter: string) => void
}

/** Show the conditions of the filter as chips to edit and remove. */
export function Chips({ place, filter, catalogue, onChange }: ChipsProps) {
  const [editing, setEditing] = useState<number | null>(null)
  const found = conditions(filter)
  if (!found.length) return null
  return (
    <div className={css.chips}>
      {found.map((one, i) => (
        <Popover
          key={`${i} ${one.text}`}
          opened={editing === i}
          onChange={(on) => !on && setEditing(null)}
          trapFocus
          returnFocus
          shadow="md"
          position="bottom-start"
        >
          <Popover.Target>
            <span className={css.chip}>
              <button type="button" disabled={!one.simple} onClick={() => setEditing(i)} title={one.text}>
                <Said condition={one} />
              </button>
              <button type="button" aria-label={texts.remove(one.text)} onClick={() => onChange(without(filter, i))}>
                <IconX size={12} />
              </button>
            </span>
          </Popover.Target>
          <Popover.Dropdown>
            <ConditionForm
              place={place}
              catalogue={catalogue}
              start={one.simple}
              onDone={(text) => {
                onChange(replaced(filter, i, text))
                setEditing(null)
              }}
            />
          </Popover.Dropdown>
        </Popover>
      ))}
    </div>
  )
}

interface AddConditionProps extends ChipsProps {
  /** Column of a new condition, chosen elsewhere */
  asked: string | null
  onAsked: () => void
}

/** Add a condition with a form. */
export function AddCondition({ place, filter, catalogue, asked, onAsked, onChange }: AddConditionProps) {
  const [open, setOpen] = useState(false)
  const [count, setCount] = useState(0)
  const close = () => {
    setOpen(false)
    setCount(count + 1) // the next condition begins anew
    onAsked()
  }
  const shown = open || asked !== null
  return (
    <Popover opened={shown} onChange={(on) => !on && close()} trapFocus returnFocus shadow="md" position="bottom-end">
      <Popover.Target>
        <ActionIcon
          size={32}
          variant="subtle"
          color="gray"
          onClick={() => (shown ? close() : setOpen(true))}
          aria-expanded={shown}
          aria-label={texts.add}
          title={texts.add}
        >
          <IconFilterPlus size={17} />
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown>
        <ConditionForm
          key={`${count} ${asked ?? ''}`}
          place={place}
          catalogue={catalogue}
          start={asked === null ? null : { name: asked, operator: '', value: '' }}
          onDone={(text) => {
            onChange(narrowed(filter, text))
            close()
          }}
        />
      </Popover.Dropdown>
    </Popover>
  )
}

function Said({ condition: { simple, text } }: { condition: Condition }) {
  if (!simple) return <span>{text}</span>
  return (
    <>
      <span>{readable(simple.name.replace(/^(config|summary)\./, ''))}</span>
      <em>{simple.operator}</em>
      {simple.value && <span>{simple.value.replace(/^"(.*)"$/, '$1')}</span>}
    </>
  )
}
