import type { ApiContext } from '../../../context.ts'
import type { EvidenceReader } from '../../evidence/evidence.ts'
import type { Limiter } from '../../http/limits.ts'
import type { Route } from '../../http/route.ts'
import { consoleAccountRoutes } from './accounts.ts'
import { consoleBulkActionRoutes } from './bulk-actions.ts'
import { consoleDisputeRoutes } from './disputes.ts'
import { consoleHomeRoutes } from './home.ts'
import { consoleOrderRoutes } from './orders.ts'
import { consolePrivacyRequestRoutes } from './privacy-requests.ts'
import { consoleSearchRoutes } from './search.ts'
import { consoleSessionRoutes } from './sessions.ts'
import { consoleSignInRoutes } from './sign-in.ts'
import { consoleTaskRoutes } from './tasks.ts'

/** The operators' console. */
export const consoleRoutes = (api: ApiContext, evidence: EvidenceReader, limiter: Limiter): Route[] => [
  ...consoleHomeRoutes(api, evidence),
  ...consoleSignInRoutes(api, limiter),
  ...consoleSessionRoutes(api),
  ...consoleSearchRoutes(api),
  ...consoleOrderRoutes(api),
  ...consoleDisputeRoutes(api),
  ...consoleAccountRoutes(api),
  ...consoleBulkActionRoutes(api),
  ...consoleTaskRoutes(api),
  ...consolePrivacyRequestRoutes(api),
]
