import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { microsPerDay, microsPerSecond, shardOfToken, transactionIdOf } from '../../src/core/ids.ts'
import { terminalKey } from '../../src/core/keys.ts'
import { capture, hold } from '../../src/core/ledger.ts'
import { phaseCodes } from '../../src/core/phases.ts'
import { reasons } from '../../src/core/reasons.ts'
import type { Amounts, Decision } from '../../src/core/transactions.ts'
import { sha256Hex } from '../../src/crypto/hash.ts'
import { chanceOf } from '../../src/load/chance.ts'
import { chainBytes } from '../../src/store/batch/chain.ts'
import { commandCodeOf, transactionCodeOf } from '../../src/store/batch/codes.ts'
import { postingsLiteral } from '../../src/store/batch/columns.ts'
import { CopyIn } from './copy.ts'
import type { World } from './world.ts'

export interface PastDay {
  readonly day: number
  readonly count: number
  readonly firstBatch: number
  readonly seed: number
  readonly cards: number
  onProgress(rows: number): void
}

/** As many as the engine decides at once, at most. */
const batchSize = 256
/** Of a day, spread over 20 hours; each confirm comes three seconds after its authorize. */
const firstSecond = 3_600
const secondsOfDay = 20 * 3_600
const confirmAfterSeconds = 3
const holdSeconds = 86_400
const render = 1
const stanSpan = 500_000
const tokenBytes = 16
const amountMax = 500_000
const amountStep = 1_000

const decisionColumns =
  'key, txn, batch_seq, at, requested, authorized, confirmed, tenant, day, idx, kind, reason, phase, render, ' +
  'content, legs'
const transactionColumns =
  'id, holder, requested, authorized, confirmed, reversed, refunded, at, expires_at, confirmed_in, card, tenant, ' +
  'day, merchant, terminal, business_date, stan, asset, version, phase, reason, kind, legs'
const batchColumns = 'seq, at, position, run, tenant, decisions, hash'

/** A purchase on its way through the day. */
interface Sale {
  readonly id: number
  readonly holder: number
  readonly lot: number
  readonly token: string
  readonly terminal: World['terminals'][number]
  readonly stan: number
  readonly amount: bigint
}

/** What has been written of a day: the first batch number that is still free, and when all of it is in place. */
export interface WrittenDay {
  readonly nextBatch: number
  readonly isThere: Promise<unknown>
}

/**
 * Writes a day of purchases, each authorized and confirmed, in batches with their hash chain, and adds up what each
 * card spent. Its indexes are still being made when it resolves: until `isThere` the clients are in use.
 */
export async function writePastDay(
  clients: readonly pg.Client[],
  world: World,
  day: PastDay,
  tokens: Buffer,
  spent: Float64Array,
): Promise<WrittenDay> {
  const [first, second, third] = clients as [pg.Client, pg.Client, pg.Client]
  const decisions = await beginPartition(first, 'decisions', day.day, decisionColumns)
  const transactions = await beginPartition(second, 'transactions', day.day, transactionColumns)
  const batches = await CopyIn.begin(third, 'batches', batchColumns)
  const chain = { run: randomUUID(), position: 0, hash: '' }
  const chance = chanceOf(day.seed)
  let batch = day.firstBatch

  const putBatch = async (at: number, all: readonly Decision[]): Promise<void> => {
    chain.hash = sha256Hex(chainBytes(chain.hash, batch, at, all))
    const time = timeOf(at)
    for (const one of all) {
      const taken = decisions.put(decisionRow(one, time, world))
      if (taken !== undefined) await taken
    }
    const hash = `\\\\x${chain.hash}`
    await batches.put([batch, time, chain.position, chain.run, world.tenant, all.length, hash])
    chain.position++
    batch++
  }

  for (let from = 0; from < day.count; from += batchSize) {
    const count = Math.min(batchSize, day.count - from)
    const second = firstSecond + Math.floor((from / day.count) * secondsOfDay)
    const at = day.day * microsPerDay + second * microsPerSecond
    const sales = Array.from({ length: count }, (_, index) => someSale(from + index, day, world, tokens, chance))
    const authorizedIn = batch
    const confirmedAt = at + confirmAfterSeconds * microsPerSecond
    await putBatch(at, decided('authorize', sales, at, authorizedIn, day.day))
    await putBatch(confirmedAt, decided('confirm', sales, confirmedAt, authorizedIn + 1, day.day))
    const times = [timeOf(at), timeOf(at + holdSeconds * microsPerSecond)] as const
    for (const sale of sales) {
      const taken = transactions.put(transactionRow(sale, times, authorizedIn + 1, day.day, world))
      if (taken !== undefined) await taken
      const card = sale.holder - world.firstHolder
      spent[card] = (spent[card] as number) + Number.parseInt(sale.amount.toString(), 10)
    }
    day.onProgress(from + count)
  }
  const isThere = Promise.all([
    decisions.end().then(() => attachPartition(first, 'decisions', day.day)),
    transactions.end().then(() => attachPartition(second, 'transactions', day.day)),
    batches.end(),
  ])
  isThere.catch(() => undefined)
  return { nextBatch: batch, isThere }
}

type Hot = 'decisions' | 'transactions'

/**
 * Its rows are frozen: nobody has to write them again, as a vacuum would. They leave no room for changes in their
 * pages, as the switch would: what is past does not change, and half of its disk would be air.
 */
async function beginPartition(client: pg.Client, hot: Hot, day: number, columns: string): Promise<CopyIn> {
  const table = `${hot}_${day}`
  await client.query('BEGIN')
  await client.query(`CREATE TABLE ${table} (LIKE ${hot} INCLUDING DEFAULTS INCLUDING CONSTRAINTS,
    CONSTRAINT ${table}_of_day CHECK (day = ${day}))`)
  return CopyIn.begin(client, table, columns, 'WITH (FREEZE)')
}

/** Makes the indexes from sorted rows, which is faster than row by row. The check spares it reading all rows again. */
async function attachPartition(client: pg.Client, hot: Hot, day: number): Promise<void> {
  const table = `${hot}_${day}`
  await client.query("SET LOCAL maintenance_work_mem = '256MB'")
  await client.query(`ALTER TABLE ${hot} ATTACH PARTITION ${table} FOR VALUES FROM (${day}) TO (${day + 1})`)
  await client.query(`ALTER TABLE ${table} DROP CONSTRAINT ${table}_of_day`)
  await client.query('COMMIT')
}

function someSale(index: number, day: PastDay, world: World, tokens: Buffer, chance: () => number): Sale {
  const card = Math.floor(chance() * day.cards)
  const token = tokens.toString('hex', card * tokenBytes, (card + 1) * tokenBytes)
  const { terminals, firstHolder, firstLot } = world
  return {
    id: transactionIdOf(day.day, shardOfToken(token), index),
    holder: firstHolder + card,
    lot: firstLot + card,
    token,
    terminal: terminals[index % terminals.length] as World['terminals'][number],
    stan: 1 + (Math.floor(index / terminals.length) % (stanSpan - 1)),
    amount: BigInt(amountStep * (1 + Math.floor((chance() * amountMax) / amountStep))),
  }
}

/** The stored answers of one step of these sales. */
function decided(kind: 'authorize' | 'confirm', sales: readonly Sale[], at: number, batch: number, day: number) {
  const isConfirm = kind === 'confirm'
  const sentAt = sentAtOf(at)
  return sales.map(({ id, lot, terminal, stan, amount }, index): Decision => {
    const { payable, ...till } = terminal
    const amounts: Amounts = {
      ...{ requested: amount, authorized: amount, confirmed: isConfirm ? amount : 0n, reversed: 0n, refunded: 0n },
    }
    const step = isConfirm ? 'confirm' : 'open'
    return {
      key: terminalKey({ ...till, step, stan: isConfirm ? stan + stanSpan : stan, sentAt }),
      content: (id % 2 ** 48).toString(16).padStart(26, '0'),
      ...{ day, kind, reason: 'approved', transaction: id, phase: isConfirm ? 'confirmed' : 'authorized', amounts },
      postings: [isConfirm ? capture(lot, payable, amount, amount) : hold(lot, payable, amount)],
      ...{ balances: null, batch, index, at },
    }
  })
}

function decisionRow(one: Decision, time: string, { tenant }: World) {
  const { key, transaction, batch, amounts, day, index, kind, reason, phase, content, postings } = one
  return [
    ...[key, transaction, batch, time, amounts!.requested, amounts!.authorized, amounts!.confirmed || null],
    ...[tenant, day, index, commandCodeOf(kind), reasons[reason].code, phaseCodes[phase!], render],
    ...[`\\\\x${content}`, postingsLiteral(postings)],
  ]
}

function transactionRow(sale: Sale, times: readonly string[], confirmedIn: number, day: number, world: World) {
  const { id, holder, lot, token, terminal, stan, amount } = sale
  const { tenant, asset, program, funder } = world
  // One leg: nothing is held any more, all is posted.
  const legs = `{${lot},${program},${funder},0,${amount}}`
  return [
    ...[id, holder, amount, amount, amount, 0, 0, ...times],
    ...[confirmedIn, token, tenant, day, terminal.merchantId, terminal.terminalId, day, stan, asset, 1],
    ...[phaseCodes.confirmed, reasons.approved.code, transactionCodeOf('purchase'), legs],
  ]
}

/** As PostgreSQL reads a moment of whole seconds. */
const timeOf = (at: number): string => new Date(at / 1000).toISOString()

/** DE7 as a number: MMDDhhmmss. */
const sentAtOf = (at: number): number =>
  Number.parseInt(new Date(at / 1000).toISOString().replace(/\D/g, '').slice(4, 14), 10)
