/**
 * Every color, radius and spacing of the dashboard, by name.
 *
 * Style sheets use them as CSS variables (`var(--panel)`); a test keeps other colors out of them. Texts reach a contrast
 * of 4.5:1 on their background, lines and marks 3:1.
 */

/** Name: in the light theme, in the dark theme */
const COLORS: Record<`--${string}`, [light: string, dark: string]> = {
  '--mantine-color-body': ['#ffffff', '#16181d'],
  '--mantine-color-dimmed': ['#5b6470', '#9aa4b2'],
  // Surfaces and lines
  '--panel': ['#ffffff', '#1d2026'],
  '--backdrop': ['#f5f6f8', '#16181d'],
  '--line': ['#dfe3e8', '#343a44'],
  '--grid': ['#e9ecef', '#2a2f38'],
  '--paper': ['#ffffff', '#ffffff'],
  '--shadow': ['0 2px 10px rgb(0 0 0 / 18%)', '0 2px 10px rgb(0 0 0 / 18%)'],
  '--hover': ['#f5f7fa', '#23272f'],
  '--head-back': ['#f8f9fb', '#20242b'],
  '--selected-back': ['#eaf0ff', '#242c45'],
  '--baseline-back': ['#fdf6e3', '#2d2920'],
  '--baseline-line': ['#c9a227', '#8f7a35'],
  '--chip-back': ['#e6eaf0', '#323844'],
  '--faint': ['#a9b1bb', '#566070'],
  '--brand': ['#3b5bdb', '#3b5bdb'],
  // States of runs, in words and as dots
  '--state-running': ['#1c64c4', '#74b3f5'],
  '--state-finished': ['#18794e', '#5cc896'],
  '--state-failed': ['#c42b2b', '#ff8c84'],
  '--dot': ['#7b8594', '#8b95a5'],
  '--dot-running': ['#2563eb', '#6ea0ff'],
  '--dot-halo': ['#2563eb40', '#6ea0ff4d'],
  '--dot-finished': ['#2f9e5b', '#40b873'],
  '--dot-failed': ['#d6333f', '#f0606a'],
  '--dot-killed': ['#b07400', '#dda63a'],
  // Messages and marks
  '--warn': ['#7a4b00', '#f2c878'],
  '--warn-back': ['#fff4dc', '#3a2f16'],
  '--wrong-back': ['#ffe3e3', '#5c2323'],
  '--added': ['#12693f', '#7fd6a2'],
  '--added-back': ['#e3f6e9', '#17301f'],
  '--removed': ['#b3261e', '#ff9d95'],
  '--removed-back': ['#fdeae8', '#3a1f1d'],
  '--mark': ['#ffe08a', '#6b5310'],
  '--differs-back': ['#fff8e1', '#2f2a17'],
  // The sixteen colors of a terminal
  '--ansi-0': ['#1f2328', '#7d8794'],
  '--ansi-1': ['#b3261e', '#ff8c84'],
  '--ansi-2': ['#12693f', '#6fd29a'],
  '--ansi-3': ['#7a5200', '#e6b450'],
  '--ansi-4': ['#1c5bb8', '#7fb4ff'],
  '--ansi-5': ['#8a2c86', '#e39adf'],
  '--ansi-6': ['#0f6674', '#5cc8d8'],
  '--ansi-7': ['#5b6470', '#c9d1d9'],
  '--ansi-8': ['#5b6470', '#9aa4b2'],
  '--ansi-9': ['#c8352b', '#ffa8a1'],
  '--ansi-10': ['#1a7a49', '#92e5b5'],
  '--ansi-11': ['#8a5f00', '#f5cf7d'],
  '--ansi-12': ['#2a6bd0', '#a8ccff'],
  '--ansi-13': ['#9c3f98', '#f0b9ed'],
  '--ansi-14': ['#177585', '#8be0ec'],
  '--ansi-15': ['#3d444d', '#ffffff'],
}

/** `--space-1` is 2 px, `--space-2` 4 px, and so on. */
const SPACES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 18, 22]

const named = (theme: 0 | 1) =>
  Object.fromEntries(Object.entries(COLORS).map(([name, values]) => [name, values[theme]]))

/** The CSS variables of both themes, and of each. */
export const variables = {
  variables: {
    '--radius-pill': '999px',
    ...Object.fromEntries(SPACES.map((n) => [`--space-${n}`, `${2 * n}px`])),
  },
  light: named(0),
  dark: named(1),
}

/** Mantine's scale for the dark theme, in the hue of the panels; its texts are at least as light as in Mantine's own. */
export const DARK_SCALE = [
  ...['#d3d9e2', '#b9c1cd', '#9aa4b2', '#828d9b', '#454d59'],
  ...['#343a44', '#262b33', '#1d2026', '#16181d', '#101216'],
] as const

/**
 * Colors of runs, found by a search that keeps each above 3:1 to the panel's background and any two as far apart as it can
 * for readers with normal sight, deuteranopia and protanopia (palette.test.ts).
 */
export const RUN_COLORS = {
  light: ['#2a8efe', '#aa0000', '#4ea05e', '#800d90', '#c68100', '#3d93a8', '#862f4b'],
  dark: ['#0088f2', '#d46503', '#497c4f', '#bf3492', '#f1d311', '#15dcff', '#ffb3af'],
}

/** Colors of numbers, even in lightness from first to last, so that they also read in grey; both ends stand out. */
export const RAMPS = {
  light: ['#9ecae1', '#4292c6', '#08519c', '#3f007d'],
  dark: ['#4f6bd9', '#4f9bd9', '#7fd6b0', '#f9e884'],
}

/** Colors of histograms, from few values to many; they begin in the panel's own. */
export const HEAT = {
  light: ['#9ecae1', '#2171b5', '#3f007d'],
  dark: ['#274b8f', '#4f9bd9', '#f9e884'],
}

/** What a terminal's white is on a background that a program chose. */
export const WHITE = 'rgb(255, 255, 255)'
