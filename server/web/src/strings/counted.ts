import { count } from '../lib/format'

/** `1 run`, `12,345 runs` */
export const counted = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`
