/** Sizes of the grid in pixels, and the numbers of the rows above the runs. */

export const ROW_HEIGHT = 32
export const HEAD_HEIGHT = 44

/** Row number of the column headers */
export const HEADER_LINE = -2

/** Row number of the baseline, which is pinned below the headers */
export const BASELINE_LINE = -1

/** Widths of the checkbox and the eye, which come before all columns */
export const LEAD = [32, 34] as const
export const LEAD_WIDTH = LEAD[0] + LEAD[1]

/** The smallest width of a column */
export const LEAST_WIDTH = 56
