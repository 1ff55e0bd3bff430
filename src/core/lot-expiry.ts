import type { Tenant } from './catalog.ts'
import type { DecisionContext, Need } from './decision.ts'
import type { Micros } from './ids.ts'
import { isExpired, type Lot } from './ledger.ts'
import { type LocalTime, startOfDay } from './local-time.ts'
import type { Share } from './spend.ts'
import { type Terms, termsAt } from './terms.ts'
import type { Transaction } from './transactions.ts'
import { firstDayAfter } from './windows.ts'
import type { WorkingSet } from './working-set.ts'

const endOfDay = (day: number, { timeZone }: Tenant): Micros => startOfDay(day + 1, timeZone)

/** When a lot that is loaded now expires; null: never. */
export function expiryOfLoad({ expiry }: Terms, { day }: LocalTime, tenant: Tenant): Micros | null {
  switch (expiry.kind) {
    case 'never':
      return null
    case 'date':
      return endOfDay(expiry.day, tenant)
    case 'after_load':
    case 'inactivity':
      return endOfDay(day + expiry.days, tenant)
    case 'end_of_period':
      return endOfDay(firstDayAfter(expiry.per, day, tenant.calendar) - 1, tenant)
  }
}

/** Lots that expire by inactivity live longer once they are spent from. */
export function keepAlive(shares: readonly Share[], rows: WorkingSet, { catalog, local }: DecisionContext): void {
  for (const { candidate } of shares) {
    const { lot, terms } = candidate
    if (lot.expiresAt === null || terms.expiry.kind !== 'inactivity') continue
    const expiresAt = expiryOfLoad(terms, local, catalog.tenant)
    if (expiresAt !== null && expiresAt > lot.expiresAt) rows.changeLot(lot, { expiresAt, sweepDue: expiresAt })
  }
}

/** The lots of a transaction, where they (and the limits) must be read before value can go back; null: they are. */
export function lotsNeed({ holder }: Transaction, rows: WorkingSet): Need | null {
  if (holder === null || (rows.lotsOf(holder) !== undefined && rows.knowsUsage(holder))) return null
  return { lotsOf: [holder] }
}

/**
 * Value goes back to these lots: one that has expired since lives again for as long as its program says, or is swept.
 * The lots have been read: see `lotsNeed`.
 */
export function returnToLots(
  holder: number | null,
  lots: readonly number[],
  rows: WorkingSet,
  { catalog, local }: DecisionContext,
): void {
  if (holder === null) return
  for (const lot of rows.lotsOf(holder) ?? []) {
    if (!lots.includes(lot.id) || !isExpired(lot, local.at)) continue
    rows.changeLot(lot, afterReturn(lot, catalog.programsById.get(lot.program), local, catalog.tenant))
  }
}

function afterReturn(
  lot: Lot,
  program: Parameters<typeof termsAt>[0] | undefined,
  local: LocalTime,
  tenant: Tenant,
): Pick<Lot, 'expiresAt' | 'sweepDue'> {
  const policy = program === undefined ? 'breakage' : termsAt(program, local.at).returns.intoExpired
  if (policy === 'breakage') return { expiresAt: lot.expiresAt, sweepDue: lot.sweepDue ?? local.at }
  const expiresAt = endOfDay(local.day + policy.reviveDays, tenant)
  return { expiresAt, sweepDue: expiresAt }
}
