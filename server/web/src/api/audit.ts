/** The audit log. */
import { data, GET, type Shapes } from './client'
import type { Source } from './pages'

export type AuditEntry = Shapes['AuditEntry']

/** The log of a team or account, or with null of all that the reader may see. */
export const logOf = (entity: string | null): Source<AuditEntry> => ({
  key: ['audit', entity],
  fetch: async (part, signal) => {
    const query = { ...part, ...(entity !== null && { entity }) }
    const { entries: items, ...rest } = await data(GET('/api/audit', { params: { query }, signal }))
    return { items, ...rest }
  },
})
