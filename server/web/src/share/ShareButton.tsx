import { ActionIcon, Button, Tooltip } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconShare } from '@tabler/icons-react'
import { Suspense } from 'react'
import { lazyLoad } from '../shell/lazyLoad'
import { strings } from '../strings'
import type { ShareDialogProps } from './ShareDialog'

const ShareDialog = lazyLoad(() => import('./ShareDialog').then((it) => it.ShareDialog))

type Props = Omit<ShareDialogProps, 'onClose'> & {
  /** Size of the icon, in pixels; without it the button has a label */
  size?: number
}

/** A button that opens the share dialog. Show it only to those who may share. */
export function ShareButton({ size, ...shared }: Props) {
  const [opened, { open, close }] = useDisclosure()
  return (
    <>
      {size ? (
        <Tooltip label={strings.share.button}>
          <ActionIcon size={size} variant="subtle" color="gray" aria-label={strings.share.button} onClick={open}>
            <IconShare size={Math.round(size / 2)} />
          </ActionIcon>
        </Tooltip>
      ) : (
        <Button size="xs" variant="default" leftSection={<IconShare size={15} />} onClick={open}>
          {strings.share.button}
        </Button>
      )}
      {opened && (
        <Suspense>
          <ShareDialog {...shared} onClose={close} />
        </Suspense>
      )}
    </>
  )
}
