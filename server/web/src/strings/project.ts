/** Texts of the workspace of a project: its runs table, filter bar and views. */
export const project = {} as const
