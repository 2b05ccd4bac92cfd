import css from './Once.module.css'
import { Stack, Text, TextInput } from '@mantine/core'
import { CopyWords } from '../shell/CopyButton'
import { strings } from '../strings'

/** Show a secret that the server never shows again, ready to copy. `label` says what it is. */
export function Once({ label, secret, text }: { label: string; secret: string; text?: string }) {
  return (
    <div className={`panel ${css.once}`} role="status">
      <Stack gap="xs" align="flex-start">
        <Text fw={600}>
          {strings.access.onceTitle} <Text span>{strings.access.once}</Text>
        </Text>
        <TextInput
          label={label}
          value={secret}
          readOnly
          w="100%"
          classNames={{ input: 'mono' }}
          autoComplete="off"
          onFocus={(event) => event.currentTarget.select()}
          data-autofocus
        />
        <CopyWords text={secret} />
        {text && (
          <Text size="sm" c="dimmed">
            {text}
          </Text>
        )}
      </Stack>
    </div>
  )
}
