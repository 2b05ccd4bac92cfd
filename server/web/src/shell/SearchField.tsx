import { TextInput, type TextInputProps } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'

interface Props extends Omit<TextInputProps, 'value' | 'onChange' | 'type'> {
  /** What it searches, as its name and while it is empty */
  label: string
  value: string
  onChange: (text: string) => void
}

/** Where one types what to look for. */
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
