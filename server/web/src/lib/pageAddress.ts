import type { RunPlace } from '../api/paths'

/** The address of a project's page. */
export const projectAddress = (entity: string, project: string) =>
  `/projects/${encodeURIComponent(entity)}/${encodeURIComponent(project)}`

/** The address of a run's page. */
export const runAddress = (run: RunPlace) =>
  `/runs/${[run.entity, run.project, run.id].map(encodeURIComponent).join('/')}`

/** The address of a team's page. */
export const teamAddress = (team: string) => `/teams/${encodeURIComponent(team)}`
