import type { Pool } from './pool.ts'
import { idOf, idOrNull, microsOf, timestampOf } from './sql.ts'

/** Which key: see `migrations/0002_keys.sql`. */
interface KeyName {
  readonly tenant: number
  readonly owner: string
  readonly usage: 'master' | 'mac' | 'pin' | 'dukpt' | 'pvv' | 'ibm3624'
  readonly name: string
}

/** A key to be stored: encrypted already. Check value and secret are hexadecimal. */
interface NewKey extends KeyName {
  readonly algorithm: 'tdes' | 'aes'
  readonly checkValue: string
  readonly secret: string
  readonly settings: string | null
}

export interface KeyRow extends KeyName {
  readonly id: number
  readonly algorithm: NewKey['algorithm']
  readonly status: 'active' | 'retiring' | 'retired'
  readonly madeAt: number
  readonly until: number | null
  readonly checkValue: string
  readonly secret: string | null
  readonly settings: string | null
  readonly changedAt: number
}

/** Commits may become visible in another order than their times have. */
const overlapMicros = 10_000_000

/** Keys that have changed after `since` (microseconds; 0: all), and some from shortly before it. */
export async function readKeys(pool: Pool, since: number): Promise<KeyRow[]> {
  const { rows } = await pool.query<Record<string, string | null>>(
    `SELECT id::text, tenant::text, owner, usage, name, algorithm, status, ${microsOf('made_at')}::text AS made_at,
       ${microsOf('until')}::text AS until, ${microsOf('changed_at')}::text AS changed_at,
       encode(check_value, 'hex') AS check_value, encode(secret, 'hex') AS secret, settings::text
     FROM keys WHERE changed_at > ${timestampOf('$1::bigint')} ORDER BY keys.tenant, owner, usage, name, keys.id`,
    [Math.max(0, since - overlapMicros)],
  )
  return rows.map(row => ({
    id: idOf(row.id),
    tenant: idOf(row.tenant),
    owner: row.owner as string,
    usage: row.usage as KeyName['usage'],
    name: row.name as string,
    algorithm: row.algorithm as NewKey['algorithm'],
    status: row.status as KeyRow['status'],
    madeAt: idOf(row.made_at),
    until: idOrNull(row.until),
    checkValue: row.check_value as string,
    secret: row.secret ?? null,
    settings: row.settings ?? null,
    changedAt: idOf(row.changed_at),
  }))
}

/**
 * Makes a key the active one of its place. The one before is taken for `overlapSeconds` more. Throws a unique violation
 * if two are stored for one place at once.
 */
export async function storeKey(pool: Pool, key: NewKey, overlapSeconds: number): Promise<number> {
  const { rows } = await pool.query<{ id: string }>(
    `WITH before AS (
       UPDATE keys SET changed_at = clock_timestamp(),
         status = CASE WHEN $9::integer > 0 THEN 'retiring' ELSE 'retired' END,
         until = CASE WHEN $9::integer > 0 THEN clock_timestamp() + $9::integer * interval '1 second' END,
         secret = CASE WHEN $9::integer > 0 THEN secret END
       WHERE tenant = $1 AND owner = $2 AND usage = $3 AND name = $4 AND status = 'active' RETURNING id)
     INSERT INTO keys
       (tenant, owner, usage, name, algorithm, status, check_value, secret, settings, made_at, changed_at)
     SELECT $1, $2, $3, $4, $5, 'active', decode($6, 'hex'), decode($7, 'hex'), $8::json, clock_timestamp(),
       clock_timestamp() FROM (SELECT count(*) FROM before) AS done
     RETURNING id::text`,
    [
      ...[key.tenant, key.owner, key.usage, key.name, key.algorithm, key.checkValue, key.secret, key.settings],
      overlapSeconds,
    ],
  )
  return idOf(rows[0]?.id)
}

/** Ends a key at once: its secret is gone. Answers whether there was such a key. */
export async function retireKey(pool: Pool, tenant: number, id: number): Promise<boolean> {
  const { rowCount } = await pool.query(
    `UPDATE keys SET status = 'retired', until = NULL, secret = NULL, changed_at = clock_timestamp()
     WHERE tenant = $1 AND id = $2 AND status <> 'retired'`,
    [tenant, id],
  )
  return rowCount === 1
}

/** Of one place, so many retired keys are remembered by their check values. */
export const retiredRowsMax = 16

/**
 * Ends the keys whose time to retire is over. Of the places where one ended, older rows go; not before a day, so that
 * every switch has read that they are retired.
 */
export async function retireOverdueKeys(pool: Pool): Promise<void> {
  await pool.query(
    `WITH ended AS (
       UPDATE keys SET status = 'retired', until = NULL, secret = NULL, changed_at = clock_timestamp()
       WHERE status = 'retiring' AND until < clock_timestamp() RETURNING tenant, owner, usage, name),
     ranked AS (
       SELECT tenant, id, changed_at,
         row_number() OVER (PARTITION BY tenant, owner, usage, name ORDER BY id DESC) AS nth
       FROM keys WHERE status = 'retired' AND (tenant, owner, usage, name) IN (SELECT * FROM ended))
     DELETE FROM keys USING ranked WHERE keys.tenant = ranked.tenant AND keys.id = ranked.id
       AND ranked.nth > $1 AND ranked.changed_at < clock_timestamp() - interval '1 day'`,
    [retiredRowsMax],
  )
}

/** The use of a DUKPT key: the device, its counter, and the request (a key of 32 hexadecimal digits) it came with. */
interface CounterUse {
  readonly tenant: number
  readonly device: string
  readonly counter: number
  readonly request: string
}

/**
 * Takes a counter that is above all before it, and answers true; the last one may come again with the same request.
 * False for any other, which is a replay: a DUKPT key is used once (ANSI X9.24-1).
 */
export async function takeCounter(pool: Pool, { tenant, device, counter, request }: CounterUse): Promise<boolean> {
  const { rowCount } = await pool.query({
    name: 'take_dukpt_counter',
    text: `INSERT INTO dukpt_devices AS d (tenant, device, counter, request) VALUES ($1, $2, $3, $4::uuid)
       ON CONFLICT (tenant, device) DO UPDATE SET counter = excluded.counter, request = excluded.request
       WHERE d.counter < excluded.counter OR (d.counter = excluded.counter AND d.request = excluded.request)`,
    values: [tenant, device, counter, request],
  })
  return rowCount === 1
}
