import { Button, Popover } from '@mantine/core'
import { IconPlus, IconX } from '@tabler/icons-react'
import { useState } from 'react'
import { strings } from '../../strings'
import type { ColumnInfo } from '../api'
import { ConditionForm } from './ConditionForm'
import { conditions, joined, replaced, without, type Condition } from './expression'

const texts = strings.project.filter

interface ChipsProps {
  filter: string
  catalogue: ColumnInfo[]
  /** A column to begin a condition on, asked for elsewhere */
  asked: string | null
  onAsked: () => void
  onChange: (filter: string) => void
}

/** The conditions of the filter one by one, to be clicked together, changed and taken away. */
export function Chips({ filter, catalogue, asked, onAsked, onChange }: ChipsProps) {
  const [editing, setEditing] = useState<number | 'new' | null>(null)
  const found = conditions(filter)
  const close = () => {
    setEditing(null)
    onAsked()
  }
  const adding = editing === 'new' || asked !== null
  return (
    <div className="rf-chips">
      {found.map((one, i) => (
        <Popover key={`${i} ${one.text}`} opened={editing === i} onChange={(on) => !on && close()} trapFocus returnFocus shadow="md" position="bottom-start">
          <Popover.Target>
            <span className="rf-chip">
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
              catalogue={catalogue}
              start={one.simple}
              onDone={(text) => {
                onChange(replaced(filter, i, text))
                close()
              }}
            />
          </Popover.Dropdown>
        </Popover>
      ))}
      <Popover opened={adding} onChange={(on) => !on && close()} trapFocus returnFocus shadow="md" position="bottom-start">
        <Popover.Target>
          <Button size="compact-xs" variant="subtle" color="gray" leftSection={<IconPlus size={12} />} onClick={() => setEditing('new')} aria-expanded={adding}>
            {texts.add}
          </Button>
        </Popover.Target>
        <Popover.Dropdown>
          <ConditionForm
            key={asked ?? ''}
            catalogue={catalogue}
            start={asked === null ? null : { name: asked, operator: '', value: '' }}
            onDone={(text) => {
              onChange(joined([...found.map((one) => one.text), text]))
              close()
            }}
          />
        </Popover.Dropdown>
      </Popover>
    </div>
  )
}

function Said({ condition: { simple, text } }: { condition: Condition }) {
  if (!simple) return <span>{text}</span>
  return (
    <>
      <span>{simple.name.replace(/^(config|summary)\./, '')}</span>
      <em>{simple.operator}</em>
      {simple.value && <span>{simple.value.replace(/^"(.*)"$/, '$1')}</span>}
    </>
  )
}
