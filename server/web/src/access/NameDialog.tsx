import { TextInput } from '@mantine/core'
import { useState } from 'react'
import { Confirm } from './Confirm'

interface NameDialogProps {
  title: string
  text: string
  label: string
  act: string
  /** The present name */
  name: string
  onSave: (name: string) => Promise<unknown>
  onClose: () => void
}

/** Ask for a new name. */
export function NameDialog({ name, label, onSave, ...dialog }: NameDialogProps) {
  const [typed, setTyped] = useState(name)
  const wanted = typed.trim()
  return (
    <Confirm {...dialog} color="indigo" ready={wanted !== '' && wanted !== name} onSure={() => onSave(wanted)}>
      <TextInput
        label={label}
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
        onFocus={(event) => event.currentTarget.select()}
        data-autofocus
      />
    </Confirm>
  )
}
