import { createTheme, type CSSVariablesResolver } from '@mantine/core'

export const theme = createTheme({
  colors: {
    // Of the hue of the panels; texts are at least as light as in Mantine's own.
    dark: ['#d3d9e2', '#b9c1cd', '#9aa4b2', '#828d9b', '#454d59', '#343a44', '#262b33', '#1d2026', '#16181d', '#101216'],
  },
  primaryColor: 'indigo',
  primaryShade: { light: 8, dark: 7 },
  defaultRadius: 'sm',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
  headings: { fontWeight: '600' },
  cursorType: 'pointer',
  respectReducedMotion: true,
})

/** What is ours beside Mantine's variables. Texts reach 4.5:1 on their background, lines and marks 3:1. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#ffffff',
    '--mantine-color-dimmed': '#5b6470',
    '--panel': '#ffffff',
    '--backdrop': '#f5f6f8',
    '--line': '#dfe3e8',
    '--grid': '#e9ecef',
    '--state-running': '#1c64c4',
    '--state-finished': '#18794e',
    '--state-failed': '#c42b2b',
    '--warn': '#7a4b00',
    '--warn-back': '#fff4dc',
    '--added': '#12693f',
    '--added-back': '#e3f6e9',
    '--removed': '#b3261e',
    '--removed-back': '#fdeae8',
    '--mark': '#ffe08a',
    '--differs-back': '#fff8e1',
  },
  dark: {
    '--mantine-color-body': '#16181d',
    '--mantine-color-dimmed': '#9aa4b2',
    '--panel': '#1d2026',
    '--backdrop': '#16181d',
    '--line': '#343a44',
    '--grid': '#2a2f38',
    '--state-running': '#74b3f5',
    '--state-finished': '#5cc896',
    '--state-failed': '#ff8c84',
    '--warn': '#f2c878',
    '--warn-back': '#3a2f16',
    '--added': '#7fd6a2',
    '--added-back': '#17301f',
    '--removed': '#ff9d95',
    '--removed-back': '#3a1f1d',
    '--mark': '#6b5310',
    '--differs-back': '#2f2a17',
  },
})
