import type { HttpApp, HttpDeps } from '../deps.ts'
import type { InFlight } from '../idempotency.ts'
import { addOrganisationRoutes } from './routes/organisations.ts'

/** The calls of `/admin/v1`. */
export function addAdminRoutes(app: HttpApp, deps: HttpDeps, inFlight: InFlight): void {
  addOrganisationRoutes(app, deps, inFlight)
}
