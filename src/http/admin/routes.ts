import type { HttpApp, HttpDeps } from '../deps.ts'
import type { InFlight } from '../idempotency.ts'
import { refuseCardNumbers } from './free-text.ts'
import { addAccountRoutes } from './routes/accounts.ts'
import { addApiKeyRoutes } from './routes/api-keys.ts'
import { addApprovalRoutes } from './routes/approvals.ts'
import { addAuditLogRoutes } from './routes/audit-log.ts'
import { addCardholderRoutes } from './routes/cardholders.ts'
import { addCardRoutes } from './routes/cards.ts'
import { addClawbackListRoutes } from './routes/clawback-lists.ts'
import { addGiftCardRoutes } from './routes/gift-cards.ts'
import { addLoadFileRoutes } from './routes/load-files.ts'
import { addLoadScheduleRoutes } from './routes/load-schedules.ts'
import { addLoadRoutes } from './routes/loads.ts'
import { addMerchantRoutes } from './routes/merchants.ts'
import { addMovementRoutes } from './routes/movements.ts'
import { addOrganisationRoutes } from './routes/organisations.ts'
import { addProgramRoutes } from './routes/programs.ts'
import { addSearchRoutes } from './routes/search.ts'
import { addSimulateRoutes } from './routes/simulate.ts'
import { addStatementRoutes } from './routes/statements.ts'
import { addTenantRoutes } from './routes/tenant.ts'
import { addTerminalRoutes } from './routes/terminals.ts'
import { addVoucherRoutes } from './routes/vouchers.ts'

/** The calls of `/admin/v1`. */
export function addAdminRoutes(app: HttpApp, deps: HttpDeps, inFlight: InFlight): void {
  refuseCardNumbers(app)
  addTenantRoutes(app, deps, inFlight)
  addApiKeyRoutes(app, deps, inFlight)
  addAuditLogRoutes(app, deps)
  addOrganisationRoutes(app, deps, inFlight)
  addMerchantRoutes(app, deps, inFlight)
  addTerminalRoutes(app, deps, inFlight)
  addProgramRoutes(app, deps, inFlight)
  addLoadRoutes(app, deps, inFlight)
  addClawbackListRoutes(app, deps, inFlight)
  addLoadFileRoutes(app, deps, inFlight)
  addLoadScheduleRoutes(app, deps, inFlight)
  addMovementRoutes(app, deps)
  addApprovalRoutes(app, deps, inFlight)
  addAccountRoutes(app, deps)
  addCardholderRoutes(app, deps, inFlight)
  addCardRoutes(app, deps, inFlight)
  addSearchRoutes(app, deps)
  addSimulateRoutes(app, deps)
  addStatementRoutes(app, deps)
  addVoucherRoutes(app, deps, inFlight)
  addGiftCardRoutes(app, deps, inFlight)
}
