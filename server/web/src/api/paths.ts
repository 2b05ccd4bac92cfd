import type { RunInfo } from './client'

/** The members that identify a project. */
export type Place = Pick<RunInfo, 'entity' | 'project'>

/** The members that identify a run. */
export type RunPlace = Pick<RunInfo, 'entity' | 'project' | 'id'>

/** `entity/project/id` of a run, as in links and in the API of charts. */
export const pathOf = (run: RunPlace): string => `${run.entity}/${run.project}/${run.id}`

/** The API's address of a run. */
export const urlOf = (run: RunPlace): string =>
  `/api/runs/${[run.entity, run.project, run.id].map(encodeURIComponent).join('/')}`

/** Pick the path parameters of a project or run from a larger object. */
export const placeOf = ({ entity, project }: Place): Place => ({ entity, project })
export const runPlaceOf = ({ entity, project, id }: RunPlace): RunPlace => ({ entity, project, id })
