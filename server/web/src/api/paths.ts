import type { RunInfo } from './client'

/** A project, by the members that name it. */
export type Place = Pick<RunInfo, 'entity' | 'project'>

/** A run, by the members that name it. */
export type RunPlace = Pick<RunInfo, 'entity' | 'project' | 'id'>

/** `entity/project/id` of a run, as the chart API and links name it. */
export const pathOf = (run: RunPlace): string => `${run.entity}/${run.project}/${run.id}`

/** The API's address of a run. */
export const urlOf = (run: RunPlace): string =>
  `/api/runs/${[run.entity, run.project, run.id].map(encodeURIComponent).join('/')}`

/** The path parameters of a project or run, without what else the object has. */
export const placeOf = ({ entity, project }: Place): Place => ({ entity, project })
export const runPlaceOf = ({ entity, project, id }: RunPlace): RunPlace => ({ entity, project, id })
