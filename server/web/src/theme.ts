import { createTheme, type CSSVariablesResolver } from '@mantine/core'
import { strings } from './strings'
import { DARK_SCALE, variables as tokens } from './tokens'

export const theme = createTheme({
  colors: { dark: DARK_SCALE },
  primaryColor: 'indigo',
  primaryShade: { light: 8, dark: 7 },
  defaultRadius: 'sm',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
  headings: { fontWeight: '600' },
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: { Notification: { defaultProps: { closeButtonProps: { 'aria-label': strings.common.close } } } },
})

/** Our tokens, added to Mantine's variables. */
export const variables: CSSVariablesResolver = () => tokens
