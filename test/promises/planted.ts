import type { PromiseId } from '../../policy/promises.ts'
import type { Planted } from './fixture.ts'
import { columnViolations } from './violations/columns.ts'
import { orderViolations } from './violations/orders.ts'
import { periodViolations } from './violations/periods.ts'

export const planted: Record<PromiseId, Planted> = { ...columnViolations, ...orderViolations, ...periodViolations }
