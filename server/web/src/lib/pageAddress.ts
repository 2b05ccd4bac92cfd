import type { RunPlace } from '../api/paths'

/** The address of a project's page. */
export const projectAddress = (entity: string, project: string) =>
  `/projects/${encodeURIComponent(entity)}/${encodeURIComponent(project)}`

/** The address of a run's page. */
export const runAddress = (run: RunPlace) =>
  `/runs/${[run.entity, run.project, run.id].map(encodeURIComponent).join('/')}`

/** The address of a team's page. */
export const teamAddress = (team: string) => `/teams/${encodeURIComponent(team)}`

/** The address of the list of a project's reports. */
export const reportsAddress = (entity: string, project: string) => `${projectAddress(entity, project)}/reports`

/** The address of a report. */
export const reportAddress = (report: RunPlace) =>
  `${reportsAddress(report.entity, report.project)}/${encodeURIComponent(report.id)}`
