/** Sizes of the grid in pixels, and the numbers of the lines above its runs. */

export const ROW_HEIGHT = 32
export const HEAD_HEIGHT = 44

/** Line number of the column heads */
export const HEADER_LINE = -2

/** Line number of the baseline, which is pinned below the heads */
export const BASELINE_LINE = -1

/** Widths of the selection box and the eye, which come before all columns */
export const LEAD = [32, 34] as const
export const LEAD_WIDTH = LEAD[0] + LEAD[1]

/** The narrowest that a column can be made */
export const LEAST_WIDTH = 56
