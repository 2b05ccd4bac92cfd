export { Charts, type ChartsProps } from './Charts'
export { Panel } from './Panel'
export type { ShownGroup, ShownRun } from './types'
export { defaultCharts } from '../view/view'
