import { Select, Text } from '@mantine/core'
import type { Role } from '../api/whoami'
import { strings } from '../strings'

const ROLES: Role[] = ['viewer', 'member', 'admin']
const texts = strings.access

interface RoleSelectProps {
  value: Role
  onChange: (role: Role) => void
  /** Accessible name; with `labelled`, also shown above */
  label: string
  labelled?: boolean
  disabled?: boolean
}

/** Choose a role; each says what it allows. */
export function RoleSelect({ value, onChange, label, labelled = false, disabled }: RoleSelectProps) {
  return (
    <Select
      {...(labelled ? { label } : { 'aria-label': label })}
      size={labelled ? 'sm' : 'xs'}
      w={130}
      allowDeselect={false}
      disabled={disabled}
      value={value}
      onChange={(role) => role && onChange(role as Role)}
      data={ROLES.map((role) => ({ value: role, label: texts.roles[role] }))}
      comboboxProps={{ width: 300, position: 'bottom-end' }}
      renderOption={({ option }) => (
        <div>
          <Text size="sm">{option.label}</Text>
          <Text size="xs" c="dimmed">
            {texts.roleMeanings[option.value as Role]}
          </Text>
        </div>
      )}
    />
  )
}
