/** `/api/projects/{entity}/{project}` and what follows */
export const projectApi = (entity: string, project: string, rest = '') =>
  `/api/projects/${encodeURIComponent(entity)}/${encodeURIComponent(project)}${rest}`
