import { type Created, type Creation, refused } from '../../core/admin.ts'
import type { GiftBatch, NewGiftBatch } from '../../core/gift-cards.ts'
import { arrayOf, arrayOfText, dayOfTime, idOf, timestampOf } from '../sql.ts'
import { isOutOfTime } from './approvals.ts'
import { createOnce } from './changes.ts'
import type { AdminPool } from './pool.ts'

const entity = { name: 'gift-cards', isReference: false } as const

/** Physical cards that are inactive until they are sold. */
export function issueGiftCards(
  pool: AdminPool,
  creation: Creation<GiftBatch>,
  { program, count, expiresAt, offers }: NewGiftBatch,
): Promise<Created> {
  const { tenant } = creation.actor
  return createOnce(pool, entity, creation, async run => {
    const rows = await run(
      `SELECT replace(token::text, '-', '') AS token FROM cards WHERE tenant = $1 AND token = ANY ($2::uuid[])`,
      [tenant, arrayOf(offers.map(({ token }) => token))],
    )
    const taken = new Set(rows.map(({ token }) => token))
    const free = offers.filter(({ token }) => !taken.has(token)).slice(0, count)
    if (free.length < count)
      return refused('format_invalid', '/program', 'has hardly any card numbers left in its range')
    const made = await run(
      `WITH given AS (
         SELECT nextval('holder_seq') AS holder, token, last4, sealed, place
         FROM unnest($2::uuid[], $3::text[], $4::text[]) WITH ORDINALITY AS u(token, last4, sealed, place)),
       holders AS (INSERT INTO cardholders (tenant, id) SELECT $1, holder FROM given),
       vault AS (INSERT INTO pan_vault (token, tenant, sealed) SELECT token, $1, decode(sealed, 'hex') FROM given),
       made AS (
         INSERT INTO cards (token, holder, tenant, status, last4, kind, program, issued_at, expires_at)
         SELECT token, holder, $1, 2, last4, 0, $5, clock_timestamp(), ${timestampOf('$6::bigint')} FROM given
         RETURNING id, holder, last4)
       SELECT id, holder, last4 FROM made ORDER BY id`,
      [
        tenant,
        arrayOf(free.map(({ token }) => token)),
        arrayOfText(free.map(({ last4 }) => last4)),
        arrayOf(free.map(({ sealed }) => sealed)),
        program.id,
        expiresAt,
      ],
    )
    const cards = made.map(row => ({ id: idOf(row.id), holder: idOf(row.holder), last4: row.last4 as string }))
    return { kind: 'made', item: { program: program.code, cards }, id: program.code, version: null }
  })
}

/**
 * Takes the activation of a card for one request. False: another has it. One that was approved too late to be carried
 * out, and that the engine has not decided, loses it.
 */
export async function reserveActivation(
  { run }: AdminPool,
  tenant: number,
  card: number,
  key: string,
): Promise<boolean> {
  await run(
    `INSERT INTO gift_activations AS a (tenant, card, key) VALUES ($1, $2, $3::uuid)
     ON CONFLICT (tenant, card) DO UPDATE SET key = excluded.key
     WHERE EXISTS (SELECT FROM approvals p WHERE p.tenant = a.tenant AND p.key = a.key AND ${isOutOfTime}
       AND NOT EXISTS (SELECT FROM decisions d WHERE d.tenant = p.tenant AND d.key = p.key
         AND d.day = ${dayOfTime('p.made_at')}))`,
    [tenant, card, key],
  )
  const [row] = await run('SELECT key = $3::uuid AS own FROM gift_activations WHERE tenant = $1 AND card = $2', [
    tenant,
    card,
    key,
  ])
  return row?.own === 't'
}

/** Gives the activation of a card back: its first load was refused. */
export async function releaseActivation({ run }: AdminPool, tenant: number, card: number, key: string): Promise<void> {
  await run('DELETE FROM gift_activations WHERE tenant = $1 AND card = $2 AND key = $3::uuid', [tenant, card, key])
}
