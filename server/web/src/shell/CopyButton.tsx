import { ActionIcon, Button, CopyButton as WithClipboard, Tooltip } from '@mantine/core'
import { IconCheck, IconCopy } from '@tabler/icons-react'
import { strings } from '../strings'

/** A small button that copies a text. `what` names the text for screen readers. */
export function CopyButton({ text, what }: { text: string; what: string }) {
  return (
    <WithClipboard value={text}>
      {({ copied, copy }) => {
        const label = copied ? strings.common.copied : `${strings.common.copy} ${what}`
        return (
          <Tooltip label={label}>
            <ActionIcon variant="subtle" color={copied ? 'teal' : 'gray'} size="sm" aria-label={label} onClick={copy}>
              {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
            </ActionIcon>
          </Tooltip>
        )
      }}
    </WithClipboard>
  )
}

/** The same with a label. */
export function CopyWords({ text, label }: { text: string; label?: string }) {
  return (
    <WithClipboard value={text}>
      {({ copied, copy }) => (
        <Button
          size="compact-sm"
          variant="default"
          leftSection={copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
          onClick={copy}
        >
          {copied ? strings.common.copied : (label ?? strings.common.copy)}
        </Button>
      )}
    </WithClipboard>
  )
}
