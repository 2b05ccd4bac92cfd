const count = (n: number) => n.toLocaleString('en')

/** Texts of the charts. */
export const charts = {
  wall: 'Charts',
  noPrefix: 'Charts',
  none: {
    noRuns: 'No run is drawn. Show runs in the table, or change the filter.',
    noKeys: (runs: number) =>
      runs === 1 ? 'This run has logged nothing that can be drawn.' : `None of the ${count(runs)} runs drawn has logged anything that can be drawn.`,
    noMatch: (search: string) => `No panel's title matches “${search}”.`,
    badRegex: (search: string) => `“${search}” is not a regular expression.`,
    clearSearch: 'Show all panels',
  },
  empty: {
    keys: (keys: string, runs: number) =>
      runs === 1 ? `This run has no numbers under ${keys}.` : `None of the ${count(runs)} runs drawn has numbers under ${keys}.`,
    x: (x: string) => `They may have been logged, but never in one row with the x axis, ${x}.`,
    range: 'There are no points in this range of x.',
    log: 'No value is above zero, so a log axis shows none.',
    column: (column: string) => `None of these runs has a number under ${column}.`,
    few: 'At least two columns with numbers are needed.',
    media: (key: string) => `None of the runs drawn has logged ${key}.`,
    regex: (regex: string) => `No key matches /${regex}/.`,
    kind: (kind: string) => `This version of the dashboard knows no panels of the kind “${kind}”.`,
  },
  failed: 'This panel could not be drawn.',
  points: (shown: number, all: number) =>
    shown === all ? `all ${count(all)} points` : `${count(shown)} of ${count(all)} points`,
  pointsHint: (shown: number, all: number) =>
    shown === all
      ? 'Every logged point in view is drawn.'
      : 'Each drawn point stands for several: their mean, with the least and the greatest as envelope. Zoom in for more.',
  axes: { _step: 'Step', _runtime: 'Relative time', _timestamp: 'Wall time' } as Record<string, string>,
  toolbar: {
    label: 'Chart settings',
    search: 'Search panels (regex)',
    x: 'X axis',
    smoothing: 'Smoothing',
    kinds: { none: 'No smoothing', ema: 'EMA (debiased)', 'time-ema': 'EMA over time', mean: 'Running mean' },
    weight: 'Smoothing weight',
    window: 'Window, in points',
    settings: 'More settings',
    logX: 'Log x axis',
    logY: 'Log y axis',
    clip: 'Leave outliers out of the y range',
    envelope: 'Min–max envelope of summed-up points',
    band: 'Groups as',
    bands: { std: 'mean ± std', minmax: 'mean, min–max', none: 'mean only', runs: 'every run' },
    limit: 'Runs drawn at most',
    drawn: (n: number, total: number) => `${count(n)} of ${count(total)} runs drawn`,
    drawnGroups: (n: number, total: number) => `${count(n)} of ${count(total)} groups drawn`,
    columns: 'Panels a row',
    auto: 'Automatic',
    add: 'Add panel',
    resetZoom: 'Reset zoom',
    restore: (n: number) => `Bring back removed panels (${count(n)})`,
  },
  section: {
    panels: (n: number) => (n === 1 ? '1 panel' : `${count(n)} panels`),
  },
  panel: {
    menu: (title: string) => `Actions for ${title}`,
    edit: 'Edit…',
    full: 'Full screen',
    remove: 'Remove',
    move: (title: string) => `Move ${title}: drag, or use the arrow keys`,
    resize: (title: string) => `Resize ${title}: drag, or use the arrow keys`,
    moved: (title: string, place: number, of: number) => `${title} is now panel ${place} of ${of}`,
    resized: (title: string, width: number, height: number) => `${title} is ${width} wide and ${height} pixels high`,
    next: 'Next panel',
    previous: 'Previous panel',
    region: (title: string) => `Panel ${title}`,
  },
  bar: {
    label: (title: string, bars: string) => `Bar chart ${title}: ${bars}`,
    group: (n: number, low: string, high: string) => `mean of ${count(n)}, from ${low} to ${high}`,
  },
  scatter: {
    label: (title: string, n: number) => `Scatter plot ${title} of ${count(n)} runs`,
    none: (x: string, y: string) => `No run that matches the filter has both ${x} and ${y} as numbers or texts.`,
    runs: (n: number, all: number) => (n === all ? `${count(n)} runs` : `${count(n)} of ${count(all)} runs; the others lack a value`),
  },
  parallel: {
    label: (title: string, n: number) => `Parallel coordinates ${title} of ${count(n)} runs. The same ranges can be typed in below.`,
    runs: (n: number, all: number) => (n === all ? `${count(n)} runs` : `${count(n)} of ${count(all)} runs in the ranges`),
    apply: 'Filter the table',
    clear: 'Clear ranges',
    ranges: 'Ranges',
    from: (column: string) => `${column} from`,
    to: (column: string) => `${column} to`,
    hint: 'Drag along an axis to choose a range.',
    missing: 'none',
  },
  line: {
    label: (title: string, lines: number) =>
      `Line chart ${title}, ${lines === 1 ? '1 line' : `${count(lines)} lines`}. Arrow keys move the cursor, Enter keeps the values, plus and minus zoom, 0 resets, Escape ends.`,
    more: (n: number) => `and ${count(n)} more`,
    pin: 'Click keeps this box',
    copy: 'Copy values',
    copied: 'Copied',
    close: 'Close values',
    at: 'at',
    range: (low: string, high: string) => `${low} … ${high}`,
    raw: 'logged',
    of: (n: number) => `mean of ${count(n)}`,
  },
} as const
