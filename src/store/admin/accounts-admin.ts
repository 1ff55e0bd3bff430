import type { Actor } from '../../core/admin.ts'
import type { Micros } from '../../core/ids.ts'
import { freezeAccount } from './accounts.ts'
import { readFundedValue, readMerchantLedger, readOrganisationLedger, type Span } from './ledger-statements.ts'
import type { AdminPool } from './pool.ts'
import { type AccountName, readStatement } from './statements.ts'

/** Accounts and what the ledger tells of them. */
export const createAccounts = (pool: AdminPool) => ({
  freeze: (
    actor: Actor,
    account: { readonly holder: number; readonly program: number; readonly code: string },
    isFrozen: boolean,
    reason: string | null,
  ) => freezeAccount(pool, actor, account, isFrozen, reason),

  statement: (account: AccountName, from: Micros | null) => readStatement(pool, account, from),

  /** `after`: what has moved since the span, so that what was there at its end can be told from what is there now. */
  organisationLedger: (tenant: number, organisation: number, span: Span) =>
    pool.transaction(async run => {
      await run('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY')
      return {
        kind: 'ledger' as const,
        lines: await readOrganisationLedger(run, tenant, organisation, span),
        after: await readOrganisationLedger(run, tenant, organisation, { from: span.to, to: farAway }),
        value: await readFundedValue(run, tenant, organisation),
      }
    }),

  merchantLedger: (tenant: number, merchant: number, span: Span) =>
    readMerchantLedger(pool.run, tenant, merchant, span),
})

/** The year 2255. */
const farAway = 9_000_000_000_000_000
