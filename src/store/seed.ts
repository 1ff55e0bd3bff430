import type pg from 'pg'
import type { Pool } from './pool.ts'
import { idOf } from './sql.ts'

/**
 * A demo tenant as it is to be set up. Codes are unique within it; API keys come as SHA-256 hashes, cards as tokens.
 */
export interface TenantSeed {
  readonly code: string
  readonly name: string
  readonly timeZone: string
  readonly cutOverSeconds: number
  readonly calendar: 'gregorian' | 'persian'
  readonly currency: { readonly code: string; readonly numeric: string; readonly scale: number }
  readonly organisations: readonly { readonly code: string; readonly name: string }[]
  /** `terms`: as `readTerms` takes them. */
  readonly programs: readonly { readonly code: string; readonly kind: string; readonly terms?: unknown }[]
  readonly merchants: readonly {
    readonly code: string
    readonly name: string
    readonly terminals: readonly { readonly code: string; readonly confirmation: string; readonly partial: boolean }[]
  }[]
  readonly apiKeys: readonly {
    readonly hash: string
    readonly label: string
    readonly scopes: readonly string[]
    readonly merchants: readonly string[]
  }[]
  /** One cardholder each. */
  readonly cards: readonly { readonly token: string; readonly last4: string }[]
}

const currencyId = 1

/** Whether nobody has set up anything yet. */
export async function isEmpty(pool: Pool): Promise<boolean> {
  const { rowCount } = await pool.query('SELECT FROM tenants LIMIT 1')
  return rowCount === 0
}

/** Sets a tenant up, whole or not at all; does nothing if it is there. Value comes by loads. */
export async function seedTenant(pool: Pool, seed: TenantSeed): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    await client.query("SELECT pg_advisory_xact_lock(hashtext('charsu seed'))")
    const { rowCount } = await client.query('SELECT FROM tenants WHERE code = $1', [seed.code])
    if (rowCount === 0) await insertTenant(client, seed)
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined)
    throw error
  } finally {
    client.release()
  }
}

async function insertTenant(client: pg.PoolClient, seed: TenantSeed): Promise<void> {
  const { rows } = await client.query<{ id: string }>(
    `INSERT INTO tenants (id, code, name, currency, time_zone, cut_over_seconds, clearing_account, breakage_account,
       fees_account, calendar, demo)
     SELECT coalesce(max(id), 0) + 1, $1, $2, $3, $4, $5, nextval('catalog_account_seq'),
       nextval('catalog_account_seq'), nextval('catalog_account_seq'), $6, true FROM tenants
     RETURNING id::text`,
    [seed.code, seed.name, currencyId, seed.timeZone, seed.cutOverSeconds, seed.calendar],
  )
  const tenant = idOf(rows[0]?.id)
  const { currency } = seed
  await client.query('INSERT INTO assets VALUES ($1, $2, $3, $4, $5)', [
    tenant,
    currencyId,
    currency.code,
    currency.numeric,
    currency.scale,
  ])
  await client.query(
    `INSERT INTO accounts (tenant, id, kind, asset, code)
     SELECT id, clearing_account, 'clearing', currency, 'clearing' FROM tenants WHERE id = $1
     UNION ALL SELECT id, breakage_account, 'breakage', currency, 'breakage' FROM tenants WHERE id = $1
     UNION ALL SELECT id, fees_account, 'fees', currency, 'fees' FROM tenants WHERE id = $1`,
    [tenant],
  )
  await insertParties(client, tenant, seed)
  await insertCards(client, tenant, seed)
}

async function insertParties(client: pg.PoolClient, tenant: number, seed: TenantSeed): Promise<void> {
  const account = (kind: string): string =>
    `account AS (INSERT INTO accounts (tenant, id, kind, asset, code)
       VALUES ($1, nextval('catalog_account_seq'), '${kind}', ${currencyId}, $2) RETURNING id)`
  for (const [index, { code, name }] of seed.organisations.entries()) {
    await client.query(
      `WITH ${account('funding')},
         counters AS (INSERT INTO organisation_counters (tenant, organisation) VALUES ($1, $4))
       INSERT INTO organisations (tenant, id, code, name, account) SELECT $1, $4, $2, $3, id FROM account`,
      [tenant, code, name, index + 1],
    )
  }
  for (const [index, { code, kind, terms }] of seed.programs.entries()) {
    await client.query(
      `WITH program AS (
         INSERT INTO programs (tenant, id, code, name, kind, asset) VALUES ($1, $2, $3, $3, $4, $5) RETURNING id)
       INSERT INTO program_terms (starts_at, made_at, tenant, program, version, made_by, terms)
       SELECT 'epoch', clock_timestamp(), $1, id, 1, 'demo', $6 FROM program`,
      [tenant, index + 1, code, kind, currencyId, JSON.stringify(terms ?? {})],
    )
  }
  let terminalId = 0
  for (const [index, merchant] of seed.merchants.entries()) {
    await client.query(
      `WITH ${account('payable')}
       INSERT INTO merchants (tenant, id, code, name, payable) SELECT $1, $4, $2, $3, id FROM account`,
      [tenant, merchant.code, merchant.name, index + 1],
    )
    for (const { code, confirmation, partial } of merchant.terminals) {
      terminalId += 1
      await client.query(
        'INSERT INTO terminals (tenant, id, code, merchant, confirmation, partial) VALUES ($1, $2, $3, $4, $5, $6)',
        [tenant, terminalId, code, index + 1, confirmation, partial],
      )
    }
  }
  for (const { hash, label, scopes, merchants } of seed.apiKeys) {
    await client.query(
      `INSERT INTO api_keys (id, tenant, hash, label, scopes, merchants, demo)
       SELECT coalesce(max(id), 0) + 1, $1, decode($2, 'hex'), $3, $4, $5, true FROM api_keys`,
      [tenant, hash, label, scopes, merchants],
    )
  }
}

async function insertCards(client: pg.PoolClient, tenant: number, seed: TenantSeed): Promise<void> {
  const tokens = seed.cards.map(({ token }) => token)
  await client.query(
    `WITH numbered AS (
       SELECT token, last4, nextval('holder_seq') AS holder FROM unnest($2::uuid[], $3::text[]) AS u(token, last4)),
     holders AS (INSERT INTO cardholders (tenant, id) SELECT $1, holder FROM numbered)
     INSERT INTO cards (token, holder, tenant, last4) SELECT token, holder, $1, last4 FROM numbered ORDER BY holder`,
    [tenant, tokens, seed.cards.map(({ last4 }) => last4)],
  )
}

/** Holders of a demo tenant's cards `from` to `to`, in order from 1, that have no lot in this program yet. */
export async function readUnloadedHolders(
  pool: Pool,
  tenant: number,
  program: number,
  from: number,
  to: number,
): Promise<number[]> {
  const { rows } = await pool.query<{ id: string }>(
    `SELECT h.id::text FROM (
       SELECT tenant, id, row_number() OVER (ORDER BY id) AS n FROM cardholders WHERE tenant = $1) AS h
     JOIN tenants t ON t.id = h.tenant AND t.demo
     WHERE h.n BETWEEN $3 AND $4
       AND NOT EXISTS (SELECT FROM lots l WHERE l.tenant = h.tenant AND l.holder = h.id AND l.program = $2)
     ORDER BY h.id`,
    [tenant, program, from, to],
  )
  return rows.map(({ id }) => idOf(id))
}
