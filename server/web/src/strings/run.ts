/** Texts of the pages of a run, of comparing runs, and of notes. */
export const run = {
  run: {},
  compare: { title: 'Compare' },
  notes: { title: 'Notes' },
} as const
