import { Select } from '@mantine/core'
import { ago, day } from '../lib/format'
import { strings } from '../strings'

const texts = strings.access
const DAYS = [1, 7, 30, 90, 365]
const FOREVER = 'forever'

/** Choose after how many days something expires; null for never. */
export function ExpirySelect({ value, onChange }: { value: number | null; onChange: (days: number | null) => void }) {
  return (
    <Select
      label={texts.expires}
      allowDeselect={false}
      value={value === null ? FOREVER : String(value)}
      onChange={(chosen) => onChange(chosen === FOREVER ? null : Number(chosen))}
      data={[
        ...DAYS.map((days) => ({ value: String(days), label: texts.days(days) })),
        { value: FOREVER, label: texts.forever },
      ]}
      w={180}
    />
  )
}

/** Say when something expires, or that it has. */
export function expiryText(expires: number | null): string {
  if (expires === null) return texts.forever.toLowerCase()
  return expires * 1000 > Date.now() ? texts.expiresAt(day(expires)) : texts.expired(ago(expires))
}
