/** Texts of the shell and the home page, and those that stand on several pages. */
export const common = {
  product: 'tracker',
  common: {
    close: 'Close',
    copy: 'Copy',
    copied: 'Copied',
    loading: 'Loading…',
    retry: 'Try again',
    search: 'Search',
    runs: (n: number) => (n === 1 ? '1 run' : `${n.toLocaleString('en')} runs`),
    projects: (n: number) => (n === 1 ? '1 project' : `${n.toLocaleString('en')} projects`),
  },
  errors: {
    title: 'This could not be loaded',
    notFound: 'There is nothing at this address.',
    home: 'Go to all projects',
  },
  shell: {
    skip: 'Skip to content',
    home: 'All projects',
    theme: 'Change between light, dark and system theme',
    palette: 'Find a project, a run or a command',
    shortcuts: 'Keyboard shortcuts',
    offline: 'The server cannot be reached. What is shown may be old; trying again.',
  },
  home: {
    title: 'Projects',
    updated: 'Last activity',
    firstTitle: 'Log your first run',
    firstText: 'Nothing has been logged to this server yet. Run this in the environment you train in; the chart appears here with the first point.',
    firstShell: 'Shell',
    firstPython: 'Python',
    waiting: 'Waiting for the first run…',
  },
  states: {
    running: 'running',
    finished: 'finished',
    failed: 'failed',
    killed: 'killed',
    crashed: 'crashed',
  } as Record<string, string>,
} as const
