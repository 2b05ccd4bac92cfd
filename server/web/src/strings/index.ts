import { access } from './access'
import { charts } from './charts'
import { common } from './common'
import { project } from './project'
import { reports } from './reports'
import { run } from './run'

/** Every text of the dashboard, so that wording is judged, and one day translated, in one place. */
export const strings = { ...common, ...access, ...reports, ...run, project, charts } as const
