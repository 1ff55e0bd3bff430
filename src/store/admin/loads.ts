import type { Day } from '../../core/ids.ts'
import type { AccountId } from '../../core/ledger.ts'
import type { HolderName, LotMovement } from '../../core/lot-movements.ts'
import { arrayOf, idOf } from '../sql.ts'
import { isFundedBy } from './cardholders.ts'
import type { Run, TextRow } from './pool.ts'

const holderTexts = {
  id: 'SELECT id AS holder FROM cardholders WHERE tenant = $1 AND id = $2::bigint',
  reference: 'SELECT holder FROM cardholder_profiles WHERE tenant = $1 AND reference = $2',
  token: 'SELECT holder FROM cards WHERE tenant = $1 AND token = $2::uuid',
  card: 'SELECT holder FROM cards WHERE tenant = $1 AND id = $2::bigint',
} as const

/** The id of a holder; null: there is none of that name. */
export async function findHolder(run: Run, tenant: number, name: HolderName): Promise<number | null> {
  const value = name.by === 'reference' ? name.reference : name.by === 'token' ? name.token : name.id
  const [row] = await run(holderTexts[name.by], [tenant, value])
  return row === undefined ? null : idOf(row.holder)
}

/**
 * Of these holders, those whom a key of this organisation may name by their ids: who have credit of it, and who are
 * members of this schedule (null: none) if that is its own.
 */
export async function readSeen(
  run: Run,
  tenant: number,
  { holders, only, schedule }: { holders: readonly number[]; only: number; schedule: number | null },
): Promise<ReadonlySet<number>> {
  const rows = await run(
    `SELECT c.id FROM cardholders c WHERE c.tenant = $1 AND c.id = ANY ($2::bigint[]) AND (${isFundedBy('c', '$3')}
       OR EXISTS (SELECT FROM load_schedule_members m
         JOIN load_schedules s ON s.tenant = m.tenant AND s.id = m.schedule AND s.funder = $3
         WHERE m.tenant = $1 AND m.schedule = $4 AND m.holder = c.id))`,
    [tenant, arrayOf(holders), only, schedule],
  )
  return new Set(rows.map(({ id }) => idOf(id)))
}

/** What of a holder's program, from one funder (null: any), could be taken back now. */
export async function readUnspent(
  run: Run,
  tenant: number,
  { holder, program, funder }: { holder: number; program: number; funder: number | null },
): Promise<bigint> {
  const [row] = await run(
    `SELECT coalesce(sum(greatest(credits_posted - debits_posted - debits_pending, 0)), 0) AS unspent FROM lots
     WHERE tenant = $1 AND holder = $2 AND program = $3 AND ($4::integer IS NULL OR funder = $4)`,
    [tenant, holder, program, funder],
  )
  return BigInt(row?.unspent ?? '0')
}

/** The funder of a lot of a holder; null: there is no such lot. */
export async function readFunderOfLot(
  run: Run,
  tenant: number,
  holder: number,
  lot: AccountId,
): Promise<number | null> {
  const [row] = await run('SELECT funder FROM lots WHERE tenant = $1 AND holder = $2 AND lot = $3', [
    tenant,
    holder,
    lot,
  ])
  return row === undefined ? null : idOf(row.funder)
}

/** Whether the engine has decided a command under this key and day. */
export async function readIsDecided(
  run: Run,
  tenant: number,
  { key, day }: { key: string; day: Day },
): Promise<boolean> {
  const rows = await run('SELECT FROM decisions WHERE tenant = $1 AND day = $2 AND key = $3::uuid', [tenant, day, key])
  return rows.length > 0
}

/** What one decision did to the lots of these holders. */
export async function readMovements(
  run: Run,
  tenant: number,
  { batch, index, holders }: { batch: number; index: number; holders: readonly number[] },
): Promise<LotMovement[]> {
  const rows = await run(
    `SELECT m.lot, m.holder, l.program, l.funder, m.amount, m.balance FROM lot_movements m
     JOIN lots l ON l.tenant = m.tenant AND l.holder = m.holder AND l.lot = m.lot
     WHERE m.tenant = $1 AND m.holder = ANY ($2::bigint[]) AND m.batch_seq = $3 AND m.idx = $4 ORDER BY m.lot`,
    [tenant, arrayOf(holders), batch, index],
  )
  return rows.map(lotMovementOf)
}

export const lotMovementOf = (row: TextRow): LotMovement => ({
  lot: idOf(row.lot),
  holder: idOf(row.holder),
  program: idOf(row.program),
  funder: idOf(row.funder),
  amount: BigInt(row.amount as string),
  balance: BigInt(row.balance as string),
})
