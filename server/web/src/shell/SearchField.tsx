import { TextInput, type TextInputProps } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'

interface Props extends Omit<TextInputProps, 'value' | 'onChange' | 'type'> {
  /** Accessible name and placeholder */
  label: string
  value: string
  onChange: (text: string) => void
}

/** A search field. */
export function SearchField({ label, onChange, ...props }: Props) {
  return (
    <TextInput
      type="search"
      size="xs"
      placeholder={label}
      aria-label={label}
      leftSection={<IconSearch size={14} />}
      {...props}
      label={undefined}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  )
}
