import type { CommandKind } from '../../core/commands.ts'
import { dayOfMicros, type Micros, type TransactionId } from '../../core/ids.ts'
import { phaseCodes } from '../../core/phases.ts'
import { type LotChange, type StatementEntry, statementOf } from '../../core/statement.ts'
import { commandCodeOf, commandKinds } from '../batch/codes.ts'
import { legsOf, postingsOf } from '../batch/columns.ts'
import { TextReader } from '../rows.ts'
import { arrayOf, dayOfId, idOf, idOrNull, microsOf, timestampOf } from '../sql.ts'
import type { AdminPool, Run, TextRow } from './pool.ts'

/** A terminal's clock may be wrong by half a year, and its key is stored under the day that it says. */
const wrongClockDaysMax = 190
/** A hold is confirmed within 31 days. */
const holdDaysMax = 32
const microsPerDay = 86_400_000_000

export interface AccountName {
  readonly tenant: number
  readonly holder: number
  readonly program: number
  readonly funder: number | null
}

type Lots = ReadonlyMap<number, { readonly funder: number }>
type Note = LotChange['note']
const noNote: Note = { reason: null, reference: null, actor: null }

/**
 * What was posted on the account of a holder in a program since `from` (null: ever), the newest first. `funder`: only
 * on the lots of this one, as if there were no others; null: on all.
 */
export function readStatement(
  pool: AdminPool,
  { tenant, holder, program, funder }: AccountName,
  from: Micros | null,
): Promise<
  { readonly kind: 'statement'; readonly entries: readonly StatementEntry[] } | { readonly kind: 'not_found' }
> {
  return pool.transaction(async run => {
    await run('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY')
    const rows = await run(
      `SELECT lot, funder, credits_posted - debits_posted AS balance FROM lots
       WHERE tenant = $1 AND holder = $2 AND program = $3 AND ($4::integer IS NULL OR funder = $4)`,
      [tenant, holder, program, funder],
    )
    if (rows.length === 0) return { kind: 'not_found' as const }
    const lots: Lots = new Map(rows.map(row => [idOf(row.lot), { funder: idOf(row.funder) }]))
    const balance = rows.reduce((sum, row) => sum + BigInt(row.balance as string), 0n)
    const scope = { tenant, holder, lots, from }
    const changes = [...(await readMovements(run, scope)), ...(await readPurchases(run, scope))]
    return { kind: 'statement' as const, entries: statementOf(balance, changes) }
  })
}

interface Scope {
  readonly tenant: number
  readonly holder: number
  readonly lots: Lots
  readonly from: Micros | null
}

const isSince = (column: string, parameter: string): string =>
  `(${parameter}::bigint IS NULL OR ${column} >= ${timestampOf(`${parameter}::bigint`)})`

/** Everything that is no purchase. */
async function readMovements(run: Run, { tenant, holder, lots, from }: Scope): Promise<LotChange[]> {
  const rows = await run(
    `SELECT batch_seq, idx, ${microsOf('at')} AS at, kind, lot, amount, reason, reference, actor FROM lot_movements
     WHERE tenant = $1 AND holder = $2 AND lot = ANY ($3::bigint[]) AND ${isSince('at', '$4')}`,
    [tenant, holder, arrayOf([...lots.keys()]), from],
  )
  return rows.map(row => ({
    batch: idOf(row.batch_seq),
    index: idOf(row.idx),
    at: idOf(row.at),
    kind: commandKinds[idOf(row.kind)] as CommandKind,
    lot: idOf(row.lot),
    funder: funderOf(lots, idOf(row.lot)),
    amount: BigInt(row.amount as string),
    purchase: null,
    note: { reason: row.reason ?? null, reference: row.reference ?? null, actor: row.actor ?? null },
  }))
}

const funderOf = (lots: Lots, lot: number): number => lots.get(lot)?.funder ?? 0

interface Purchase {
  readonly id: TransactionId
  readonly isRefund: boolean
  /** Of a refund: the purchase. */
  readonly original: TransactionId | null
  readonly merchant: number | null
  readonly reference: string | null
  readonly batch: number
  readonly at: Micros
  /** What is posted on each lot now. */
  readonly posted: ReadonlyMap<number, bigint>
  readonly isReversed: boolean
}

/**
 * What purchases and refunds have posted. Of most the row of the transaction tells it: it was posted once, when it was
 * confirmed. Of what was reversed, in whole or in part, the decisions are looked for.
 */
async function readPurchases(run: Run, scope: Scope): Promise<LotChange[]> {
  const { tenant, holder, lots, from } = scope
  const rows = await run(
    `SELECT t.id, t.kind, t.original, t.merchant, t.reference, t.reversed, t.legs, t.confirmed_in,
       ${microsOf('b.at')} AS at
     FROM transactions t JOIN batches b ON b.tenant = t.tenant AND b.seq = t.confirmed_in
     WHERE t.tenant = $1 AND t.holder = $2 AND t.phase IN (${phaseCodes.confirmed}, ${phaseCodes.reversed})
       AND t.confirmed > 0
       AND (${isSince('t.at', '$3')} OR t.reversed > 0 OR t.original IS NOT NULL)`,
    [tenant, holder, from === null ? null : from - holdDaysMax * microsPerDay],
  )
  const purchases = rows.map(purchaseOf).filter(({ posted }) => [...posted.keys()].some(lot => lots.has(lot)))
  const plain = purchases.filter(one => !one.isReversed && (from === null || one.at >= from))
  const reversed = purchases.filter(one => one.isReversed)
  const places = await readPlaces(run, tenant, plain)
  const refunds = purchases.filter(one => one.isRefund)
  return [
    ...plain.flatMap(purchase => changesOf(purchase, refunds, places.get(purchase.id), lots)),
    ...(await readDecided(run, scope, reversed)),
  ]
}

function purchaseOf(row: TextRow): Purchase {
  return {
    id: idOf(row.id),
    isRefund: row.original !== null,
    original: idOrNull(row.original),
    merchant: idOrNull(row.merchant),
    reference: row.reference ?? null,
    batch: idOf(row.confirmed_in),
    at: idOf(row.at),
    posted: new Map(legsOf(new TextReader([row.legs ?? null])).map(({ lot, posted }) => [lot, posted])),
    isReversed: row.reversed !== '0',
  }
}

/** What was posted when it was confirmed: what is posted now, and what refunds have taken off it since. */
function changesOf(
  purchase: Purchase,
  refunds: readonly Purchase[],
  place: Place | undefined,
  lots: Lots,
): LotChange[] {
  const { id, merchant, reference, batch, at, isRefund } = purchase
  return [...purchase.posted].flatMap(([lot, posted]) => {
    if (!lots.has(lot)) return []
    const back = refunds
      .filter(({ original }) => original === id)
      .reduce((sum, refund) => sum + (refund.posted.get(lot) ?? 0n), 0n)
    const amount = posted + back
    if (amount === 0n) return []
    return {
      batch,
      index: place?.index ?? 0,
      at,
      kind: place?.kind ?? (isRefund ? ('refund' as const) : ('confirm' as const)),
      lot,
      funder: funderOf(lots, lot),
      amount: isRefund ? amount : -amount,
      purchase: { id, merchant, reference },
      note: noNote,
    }
  })
}

interface Place {
  readonly index: number
  readonly kind: CommandKind
}

/**
 * Where in its batch each was posted. Not found is one whose terminal had a wrong clock: it is put in front of all that
 * the batch has done.
 */
async function readPlaces(
  run: Run,
  tenant: number,
  purchases: readonly Purchase[],
): Promise<Map<TransactionId, Place>> {
  if (purchases.length === 0) return new Map()
  const rows = await run(
    `SELECT x.txn, d.idx, d.kind
     FROM (SELECT * FROM unnest($2::bigint[], $3::bigint[], $4::integer[]) AS u(txn, batch_seq, day) OFFSET 0) AS x
     CROSS JOIN LATERAL (
       SELECT d.idx, d.kind FROM decisions d
       WHERE d.tenant = $1 AND d.day BETWEEN x.day - 1 AND x.day + 1 AND d.batch_seq = x.batch_seq AND d.txn = x.txn
         AND d.reason IN (0, 1) AND d.kind IN (${postingKinds.map(commandCodeOf).join(', ')})
       ORDER BY d.idx DESC LIMIT 1) AS d`,
    [
      tenant,
      arrayOf(purchases.map(({ id }) => id)),
      arrayOf(purchases.map(({ batch }) => batch)),
      arrayOf(purchases.map(({ at }) => dayOfMicros(at))),
    ],
  )
  return new Map(
    rows.map(row => [idOf(row.txn), { index: idOf(row.idx), kind: commandKinds[idOf(row.kind)] as CommandKind }]),
  )
}

const postingKinds = ['authorize', 'confirm', 'reverse', 'refund'] as const

/** What the decisions about these have posted, one by one. */
async function readDecided(
  run: Run,
  { tenant, lots, from }: Scope,
  purchases: readonly Purchase[],
): Promise<LotChange[]> {
  if (purchases.length === 0) return []
  const rows = await run(
    `SELECT d.txn, d.batch_seq, d.idx, ${microsOf('d.at')} AS at, d.kind, d.legs
     FROM (SELECT txn, ${dayOfId('txn')} - ${wrongClockDaysMax} AS first_day FROM unnest($2::bigint[]) AS txn
       OFFSET 0) AS x
     JOIN decisions d ON d.tenant = $1 AND d.txn = x.txn AND d.day >= x.first_day
     WHERE d.reason IN (0, 1) AND ${isSince('d.at', '$3')}`,
    [tenant, arrayOf(purchases.map(({ id }) => id)), from],
  )
  const byId = new Map(purchases.map(one => [one.id, one]))
  return rows.flatMap(row => {
    const { id, merchant, reference } = byId.get(idOf(row.txn)) as Purchase
    return postingsOf(new TextReader([row.legs ?? null])).flatMap(({ debit, credit, posted }): LotChange[] => {
      const lot = lots.has(debit) ? debit : credit
      if (posted === 0n || !lots.has(lot)) return []
      return [
        {
          batch: idOf(row.batch_seq),
          index: idOf(row.idx),
          at: idOf(row.at),
          kind: commandKinds[idOf(row.kind)] as CommandKind,
          lot,
          funder: funderOf(lots, lot),
          amount: lot === credit ? posted : -posted,
          purchase: { id, merchant, reference },
          note: noNote,
        },
      ]
    })
  })
}
