import type pg from 'pg'

/** The ledger as it lies in the tables, read with SQL of its own: what the checker works on. */
export interface Raw {
  readonly lots: ReadonlyMap<number, LotRow>
  readonly accounts: ReadonlyMap<number, { readonly asset: number; readonly kind: string }>
  readonly transactions: ReadonlyMap<number, TransactionRow>
  /** In the order of all: batch, then index. */
  readonly decisions: readonly DecisionRow[]
  readonly decisionsOf: ReadonlyMap<number, readonly DecisionRow[]>
  readonly batches: readonly BatchRow[]
  readonly settlements: readonly SettlementRow[]
}

export interface LotRow {
  readonly asset: number
  readonly limit: bigint
  readonly debitsPending: bigint
  readonly debitsPosted: bigint
  readonly creditsPending: bigint
  readonly creditsPosted: bigint
}

export interface PostingRow {
  readonly debit: number
  readonly credit: number
  readonly pending: bigint
  readonly posted: bigint
  readonly remaining: bigint
}

export interface DecisionRow {
  readonly key: string
  readonly day: number
  readonly txn: number | null
  readonly batch: number
  readonly idx: number
  readonly at: number
  readonly kind: number
  readonly reason: number
  readonly content: string
  readonly requested: bigint
  readonly authorized: bigint
  readonly confirmed: bigint
  readonly reversed: bigint
  readonly refunded: bigint
  readonly postings: readonly PostingRow[]
  /** What the hash chain covers of it. */
  readonly chainLine: string
}

export interface TransactionRow {
  readonly id: number
  readonly kind: number
  readonly phase: number
  readonly original: number | null
  readonly expiresAt: number | null
  readonly authorized: bigint
  readonly confirmed: bigint
  readonly reversed: bigint
  readonly refunded: bigint
  readonly legs: readonly { readonly lot: number; readonly held: bigint; readonly posted: bigint }[]
}

export interface SettlementRow {
  readonly id: number
  readonly merchant: number
  readonly number: number
  readonly afterBatch: number
  readonly upToBatch: number
  readonly isPosted: boolean
  readonly purchases: bigint
  readonly refunds: bigint
  readonly net: bigint
  /** What is owed to its merchant. */
  readonly payable: number
  readonly clearing: number
  readonly lines: readonly { readonly txn: number; readonly amount: bigint }[]
}

export interface BatchRow {
  readonly seq: number
  readonly at: number
  readonly run: string
  readonly position: number
  readonly decisions: number
  readonly hash: string
}

type Row = readonly (string | null)[]
const asText = { getTypeParser: () => (text: string) => text }
const epoch = (column: string): string => `(extract(epoch FROM ${column}) * 1000000)::bigint`
const integer = (text: string | null | undefined): number => Number(text)
const integerOrNull = (text: string | null | undefined): number | null =>
  text === null || text === undefined ? null : Number(text)
const money = (text: string | null | undefined): bigint => BigInt(text ?? 0)

/** One tenant is all that the tests have. */
export async function readRaw(client: pg.Client): Promise<Raw> {
  const read = async <Item>(text: string, itemOf: (row: Row) => Item): Promise<Item[]> =>
    (await client.query<(string | null)[]>({ text, rowMode: 'array', types: asText })).rows.map(itemOf)
  const lots = await read(
    'SELECT lot, asset, credit_limit, debits_pending, debits_posted, credits_pending, credits_posted FROM lots',
    row => [integer(row[0]), lotOf(row)] as const,
  )
  const accounts = await read(
    'SELECT id, asset, kind FROM accounts',
    row => [integer(row[0]), { asset: integer(row[1]), kind: row[2] as string }] as const,
  )
  const transactions = await read(
    `SELECT id, kind, phase, original, ${epoch('expires_at')}, authorized, confirmed, reversed, refunded, legs
     FROM transactions`,
    row => [integer(row[0]), transactionOf(row)] as const,
  )
  const decisions = await read(
    `SELECT replace(key::text, '-', ''), day, txn, batch_seq, idx, ${epoch('at')}, kind, reason, encode(content, 'hex'),
       requested, authorized, confirmed, reversed, refunded, legs, phase, balances::text
     FROM decisions ORDER BY batch_seq, idx`,
    decisionOf,
  )
  const batches = await read(
    `SELECT seq, ${epoch('at')}, run, position, decisions, encode(hash, 'hex') FROM batches`,
    batchOf,
  )
  const lines = await read('SELECT settlement, txn, amount FROM settlement_lines', row => ({
    settlement: integer(row[0]),
    txn: integer(row[1]),
    amount: money(row[2]),
  }))
  const linesOf = Map.groupBy(lines, ({ settlement }) => settlement)
  const settlements = await read(
    `SELECT s.id, s.merchant, s.number, s.after_batch, s.up_to_batch, s.posted_at IS NOT NULL, s.purchases, s.refunds,
       s.net, m.payable, t.clearing_account
     FROM settlements s JOIN merchants m ON m.tenant = s.tenant AND m.id = s.merchant JOIN tenants t ON t.id = s.tenant
     ORDER BY s.merchant, s.number`,
    row => ({ ...settlementOf(row), lines: linesOf.get(integer(row[0])) ?? [] }),
  )
  const withTransaction = decisions.filter(({ txn }) => txn !== null)
  return {
    lots: new Map(lots),
    accounts: new Map(accounts),
    transactions: new Map(transactions),
    decisions,
    decisionsOf: Map.groupBy(withTransaction, ({ txn }) => txn as number),
    batches,
    settlements,
  }
}

const lotOf = (row: Row): LotRow => ({
  asset: integer(row[1]),
  limit: money(row[2]),
  debitsPending: money(row[3]),
  debitsPosted: money(row[4]),
  creditsPending: money(row[5]),
  creditsPosted: money(row[6]),
})

const transactionOf = (row: Row): TransactionRow => ({
  id: integer(row[0]),
  kind: integer(row[1]),
  phase: integer(row[2]),
  original: integerOrNull(row[3]),
  expiresAt: integerOrNull(row[4]),
  authorized: money(row[5]),
  confirmed: money(row[6]),
  reversed: money(row[7]),
  refunded: money(row[8]),
  legs: fives(row[9]).map(([lot, , , held, posted]) => ({
    lot: integer(lot),
    held: money(held),
    posted: money(posted),
  })),
})

function decisionOf(row: Row): DecisionRow {
  const [key, day, txn, batch, idx, at, kind, reason, content] = row
  const [requested, authorized, confirmed, reversed, refunded, legs, phase, balances] = row.slice(9)
  const chained = [key, day, content, kind, reason, txn, phase, requested, authorized, confirmed, reversed, refunded]
  return {
    key: key as string,
    day: integer(day),
    txn: integerOrNull(txn),
    batch: integer(batch),
    idx: integer(idx),
    at: integer(at),
    kind: integer(kind),
    reason: integer(reason),
    content: content as string,
    requested: money(requested),
    authorized: money(authorized),
    confirmed: money(confirmed),
    reversed: money(reversed),
    refunded: money(refunded),
    postings: fives(legs).map(([debit, credit, pending, posted, remaining]) => ({
      debit: integer(debit),
      credit: integer(credit),
      pending: money(pending),
      posted: money(posted),
      remaining: money(remaining),
    })),
    chainLine: [...chained, legs, balances].map(value => value ?? '').join('|'),
  }
}

const settlementOf = (row: Row): Omit<SettlementRow, 'lines'> => ({
  id: integer(row[0]),
  merchant: integer(row[1]),
  number: integer(row[2]),
  afterBatch: integer(row[3]),
  upToBatch: integer(row[4]),
  isPosted: row[5] === 't',
  purchases: money(row[6]),
  refunds: money(row[7]),
  net: money(row[8]),
  payable: integer(row[9]),
  clearing: integer(row[10]),
})

const batchOf = (row: Row): BatchRow => ({
  seq: integer(row[0]),
  at: integer(row[1]),
  run: row[2] as string,
  position: integer(row[3]),
  decisions: integer(row[4]),
  hash: row[5] as string,
})

/** An array column of five numbers an item. Throws where a number is missing. */
function fives(literal: string | null | undefined): string[][] {
  const numbers = literal === null || literal === undefined || literal === '{}' ? [] : literal.slice(1, -1).split(',')
  if (numbers.length % 5 !== 0) throw new Error(`${numbers.length} numbers in ${literal}`)
  return Array.from({ length: numbers.length / 5 }, (_, index) => numbers.slice(index * 5, index * 5 + 5))
}
