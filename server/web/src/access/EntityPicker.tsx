import { Autocomplete } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import type { Page, Source } from '../api/pages'
import { allAccounts, allTeams } from '../api/people'
import { useWhoami } from '../api/whoami'

interface EntityPickerProps {
  label: string
  description?: string
  value: string
  onChange: (name: string) => void
  /** Which names are suggested; any name may be typed */
  kinds: ('account' | 'team' | 'mine')[]
  /** A name that is no choice */
  except?: string
  error?: string
}

const MOST = 20

/** Choose an account or team by typing; those that the reader may know of are suggested. */
export function EntityPicker({ label, description, value, onChange, kinds, except, error }: EntityPickerProps) {
  const whoami = useWhoami()
  const [search] = useDebouncedValue(value.trim(), 150)
  const found = (kind: 'account' | 'team', { key, fetch }: Source<{ name: string }>) => ({
    queryKey: [...key, 'names', search],
    queryFn: ({ signal }: { signal: AbortSignal }) => fetch({ ...(search && { search }), limit: MOST }, signal),
    enabled: kinds.includes(kind) && whoami?.mode === 'team',
    placeholderData: keepPreviousData<Page<{ name: string }>>,
  })
  const { data: accounts } = useQuery(found('account', allAccounts))
  const { data: teams } = useQuery(found('team', allTeams))
  const mine =
    kinds.includes('mine') && whoami ? Object.keys(whoami.roles).filter((one) => whoami.roles[one] === 'admin') : []
  const names = new Set([...mine, ...(teams?.items ?? []).map(nameOf), ...(accounts?.items ?? []).map(nameOf)])
  if (except !== undefined) names.delete(except)
  return (
    <Autocomplete
      label={label}
      description={description}
      value={value}
      onChange={onChange}
      data={[...names]}
      limit={MOST}
      error={error}
      autoComplete="off"
      flex={1}
      miw={180}
    />
  )
}

const nameOf = (one: { name: string }) => one.name
