/** Texts of the charts. */
export const charts = {} as const
