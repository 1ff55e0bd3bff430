import type { HttpApp, HttpDeps } from '../deps.ts'
import type { InFlight } from '../idempotency.ts'
import { addMerchantRoutes } from './routes/merchants.ts'
import { addOrganisationRoutes } from './routes/organisations.ts'
import { addTerminalRoutes } from './routes/terminals.ts'

/** The calls of `/admin/v1`. */
export function addAdminRoutes(app: HttpApp, deps: HttpDeps, inFlight: InFlight): void {
  addOrganisationRoutes(app, deps, inFlight)
  addMerchantRoutes(app, deps, inFlight)
  addTerminalRoutes(app, deps, inFlight)
}
