import type { Tenant } from '../core/catalog.ts'
import { beginPeriod } from '../store/admin/load-schedules.ts'
import type { AdminPool } from '../store/admin/pool.ts'

const periodsMax = 100

/**
 * Begins every period of a schedule that is due, those that were missed while no switch ran too, the oldest first. Each
 * is a list, which `runLists` loads. Answers how many it began or left out.
 */
export async function beginDuePeriods(pool: AdminPool, tenant: Tenant): Promise<number> {
  for (let count = 0; count < periodsMax; count++) if (!(await beginPeriod(pool, tenant))) return count
  return periodsMax
}
