import { createApiKey, disableApiKey, listApiKeys, readApiKey } from './api-keys.ts'
import { listAudit } from './audit-log.ts'
import type { AdminPool } from './pool.ts'
import { changeTenant, listHolidays, readTenant, setHoliday } from './tenants.ts'

/** The tenant, its holidays and API keys, and who changed what. */
export const createSetup = (pool: AdminPool) => ({
  tenant: readTenant.bind(null, pool.run),
  changeTenant: changeTenant.bind(null, pool),
  holidays: listHolidays.bind(null, pool.run),
  setHoliday: setHoliday.bind(null, pool),
  apiKey: readApiKey.bind(null, pool.run),
  apiKeys: listApiKeys.bind(null, pool.run),
  createApiKey: createApiKey.bind(null, pool),
  disableApiKey: disableApiKey.bind(null, pool),
  audit: listAudit.bind(null, pool.run),
})
