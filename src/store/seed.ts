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
  readonly currency: { readonly code: string; readonly numeric: string; readonly scale: number }
  readonly organisations: readonly { readonly code: string; readonly name: string }[]
  readonly programs: readonly { readonly code: string; readonly kind: string; readonly priority: number }[]
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
  /** One cardholder each, with an empty lot for each program in `lots`. */
  readonly cards: readonly { readonly token: string; readonly last4: string }[]
  readonly lots: readonly { readonly program: string; readonly funder: string; readonly firstCards: number }[]
}

const currencyId = 1

/** Whether nobody has set up anything yet. */
export async function isEmpty(pool: Pool): Promise<boolean> {
  const { rowCount } = await pool.query('SELECT FROM tenants LIMIT 1')
  return rowCount === 0
}

/** Sets a tenant up, whole or not at all; does nothing if it is there. Its lots are empty: value comes by loads. */
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
    `INSERT INTO tenants (id, code, name, currency, time_zone, cut_over_seconds, clearing_account, demo)
     SELECT coalesce(max(id), 0) + 1, $1, $2, $3, $4, $5, nextval('catalog_account_seq'), true FROM tenants
     RETURNING id::text`,
    [seed.code, seed.name, currencyId, seed.timeZone, seed.cutOverSeconds],
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
     SELECT id, clearing_account, 'clearing', currency, 'clearing' FROM tenants WHERE id = $1`,
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
    await client.query(`WITH ${account('funding')} INSERT INTO organisations SELECT $1, $4, $2, $3, id FROM account`, [
      tenant,
      code,
      name,
      index + 1,
    ])
  }
  for (const [index, { code, kind, priority }] of seed.programs.entries()) {
    await client.query(
      'INSERT INTO programs (tenant, id, code, kind, asset, priority) VALUES ($1, $2, $3, $4, $5, $6)',
      [tenant, index + 1, code, kind, currencyId, priority],
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
  await client.query('INSERT INTO cardholders (tenant, id) SELECT $1, generate_series(1, $2)', [tenant, tokens.length])
  await client.query(
    `INSERT INTO cards (token, holder, tenant, last4)
     SELECT token, holder, $1, last4 FROM unnest($2::uuid[], $3::text[]) WITH ORDINALITY AS u(token, last4, holder)`,
    [tenant, tokens, seed.cards.map(({ last4 }) => last4)],
  )
  for (const { program, funder, firstCards } of seed.lots) {
    await client.query(
      `INSERT INTO lots (holder, lot, tenant, program, funder, asset)
       SELECT h.id, nextval('lot_seq'), h.tenant, p.id, o.id, p.asset
       FROM cardholders h, programs p, organisations o
       WHERE h.tenant = $1 AND h.id <= $4 AND p.tenant = $1 AND p.code = $2 AND o.tenant = $1 AND o.code = $3
       ORDER BY h.id`,
      [tenant, program, funder, firstCards],
    )
  }
}

export interface EmptyLot {
  readonly lot: number
  readonly holder: number
  readonly program: string
}

/** Lots of a demo tenant that have never been loaded. */
export async function readEmptyLots(pool: Pool, tenant: number): Promise<EmptyLot[]> {
  const { rows } = await pool.query<{ lot: string; holder: string; program: string }>(
    `SELECT l.lot::text, l.holder::text, p.code AS program FROM lots l
     JOIN programs p ON p.tenant = l.tenant AND p.id = l.program
     JOIN tenants t ON t.id = l.tenant AND t.demo
     WHERE l.tenant = $1 AND l.credits_posted = 0 ORDER BY l.lot`,
    [tenant],
  )
  return rows.map(({ lot, holder, program }) => ({ lot: idOf(lot), holder: idOf(holder), program }))
}
