import { randomUUID } from 'node:crypto'
import type { Command } from '../../src/core/commands.ts'
import { sha256Hex } from '../../src/crypto/hash.ts'
import type { Result } from '../../src/engine/result.ts'
import { SettlementService } from '../../src/engine/settlement.ts'
import type { Admin } from '../../src/http/admin/admin.ts'
import { ApiKeys } from '../../src/http/api-keys.ts'
import { nowMicros } from '../../src/ops/clock.ts'
import { createAdmin } from '../../src/store/admin/admin.ts'
import { createAdminPool } from '../../src/store/admin/pool.ts'
import { openCatalogs } from '../../src/store/catalog.ts'
import { readApiKeys } from '../../src/store/reads/api-keys.ts'
import { createReadPool } from '../../src/store/reads/pool.ts'
import { createReads } from '../../src/store/reads/reads.ts'
import { seedTenant } from '../../src/store/seed.ts'
import { type Answer, type CallOptions, startHttp, type TestApp } from './http.ts'
import { startLedger, type TestLedger } from './switch.ts'

interface KeySeed {
  readonly tenant?: number
  readonly scopes?: readonly string[]
  readonly merchants?: readonly string[]
  readonly role?: string
  readonly organisation?: number
}

/** Name of a test key → what it may do. Those of `other` are of the second tenant. */
const keys = {
  'admin-key': { scopes: ['admin'] },
  'second-admin-key': { scopes: ['admin'] },
  'operator-key': { role: 'operator' },
  'finance-key': { role: 'finance' },
  'merchant-key': { role: 'merchant', merchants: ['M00000000000001'] },
  'organisation-key': { role: 'organisation', organisation: 1 },
  'auditor-key': { role: 'auditor' },
  'pos-key': { scopes: ['transactions:write', 'transactions:read', 'balances', 'settlements'] },
  'other-key': {
    tenant: 2,
    scopes: ['admin', 'transactions:write', 'transactions:read', 'balances', 'settlements', 'metrics'],
  },
} as const satisfies Record<string, KeySeed>

export interface TestAdmin {
  readonly ledger: TestLedger
  readonly http: TestApp
  /** As `admin-key` if no key is given. A POST gets an Idempotency-Key of its own if it has none. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>
  /** The lines of the audit log about one thing, the oldest first. */
  audit(
    entity: string,
    id: string,
  ): Promise<readonly { actor: string; action: string; before: unknown; after: unknown }[]>
  /** Makes an approval one that somebody approved so many days ago, and that was not carried out. */
  approvedAgo(id: string, days: number): Promise<void>
  close(): Promise<void>
}

/** Two tenants with API keys, an engine and the HTTP edge over a real database. The second tenant is `other`. */
export async function startAdmin(options: { cards?: number; wrap?: (admin: Admin) => Admin } = {}): Promise<TestAdmin> {
  const ledger = await startLedger({ cards: options.cards ?? 5 })
  const { pool, url } = ledger
  await seedTenant(pool, {
    code: 'other',
    name: 'Other',
    timeZone: 'UTC',
    cutOverSeconds: 0,
    calendar: 'gregorian',
    currency: { code: 'EUR', numeric: '978', scale: 2 },
    organisations: [{ code: 'other', name: 'Other' }],
    programs: [{ code: 'points', kind: 'credit' }],
    merchants: [{ code: 'X1', name: 'Other', terminals: [{ code: 'XT1', confirmation: 'explicit', partial: false }] }],
    apiKeys: [],
    cards: [],
  })
  for (const [label, given] of Object.entries<KeySeed>(keys)) {
    const {
      tenant = 1,
      scopes = [],
      merchants = ['*'],
      role = null,
      organisation = null,
    } = given as Partial<Record<string, never>>
    await pool.query(
      `INSERT INTO api_keys (id, tenant, hash, label, scopes, merchants, role, organisation)
       SELECT coalesce(max(id), 0) + 1, $1, decode($2, 'hex'), $3, $4, $5, $6, $7 FROM api_keys`,
      [tenant, sha256Hex(label), label, scopes, merchants, role, organisation],
    )
  }
  const readPool = createReadPool({ url, connectionsMax: 2, statementTimeoutMs: 5_000 }, () => undefined)
  const adminPool = createAdminPool(url, () => undefined)
  const catalogs = await openCatalogs(pool)
  const apiKeys = new ApiKeys(() => readApiKeys(readPool.query))
  await apiKeys.refresh()
  const catalogOf = (tenant: number) => catalogs.byTenant.get(tenant)
  const submit = (command: Command): Promise<Result> => engine.submit(command)
  const { wrap = admin => admin } = options
  const http = await startHttp(submit, {
    apiKeys,
    catalogOf,
    reads: createReads(readPool.query),
    settlements: new SettlementService({ pool, query: readPool.query, submit: { submit }, catalogOf, now: nowMicros }),
    admin: wrap(
      createAdmin({
        pool: adminPool,
        refresh: () => Promise.all([catalogs.refresh(), apiKeys.refresh()]),
      }),
    ),
  })
  // After the edge: making it may block the event loop for so long that lanes give their connections up.
  const engine = ledger.engine({ catalogOf })
  return {
    ledger,
    http,
    call: (method, path, given = {}) =>
      http.call(method, path, {
        key: 'admin-key',
        ...(method === 'POST' && { idempotencyKey: randomUUID() }),
        ...given,
      }),
    audit: async (entity, id) => {
      const { rows } = await pool.query(
        `SELECT actor, action, before, after FROM audit_log WHERE tenant = 1 AND entity = $1 AND entity_id = $2
         ORDER BY id`,
        [entity, id],
      )
      return rows
    },
    approvedAgo: async (id, days) => {
      await pool.query(
        `UPDATE approvals SET status = 'approved', answer = NULL, decided_by = made_by + 1, decided_label = 'somebody',
           decided_at = clock_timestamp() - make_interval(days => $2) WHERE id = $1`,
        [id, days],
      )
    },
    close: async () => {
      await http.close()
      await adminPool.close()
      await readPool.close()
      await ledger.close()
    },
  }
}
