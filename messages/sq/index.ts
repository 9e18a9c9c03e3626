import { common } from './common.ts'

export const sq = { common }
