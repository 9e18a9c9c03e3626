import type { PromiseId } from '../../policy/promises.ts'
import type { Planted } from './stage.ts'
import { columnViolations } from './violations/columns.ts'
import { orderViolations } from './violations/orders.ts'
import { termViolations } from './violations/terms.ts'

export const planted: Record<PromiseId, Planted> = { ...columnViolations, ...orderViolations, ...termViolations }
