import { notifications } from '@mantine/notifications'
import { strings } from '../strings'

/** Show that an action failed, and why. */
export const showError = (error: unknown) =>
  notifications.show({
    color: 'red',
    title: strings.errors.refused,
    message: error instanceof Error ? error.message : String(error),
  })
