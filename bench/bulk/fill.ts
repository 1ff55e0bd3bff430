import type { KeyObject } from 'node:crypto'
import pg from 'pg'
import { cardNumber } from '../../src/core/card-numbers.ts'
import { panToken } from '../../src/crypto/hash.ts'
import { cardBin } from '../tenant.ts'
import { CopyIn } from './copy.ts'
import { type PastDay, writePastDay } from './past.ts'
import { readWorld, type World } from './world.ts'

export interface FillOptions {
  readonly databaseUrl: string
  readonly panKey: KeyObject
  /** Beside the first, which the tenant has brought. */
  readonly cards: number
  readonly transactions: number
  readonly transactionsPerDay?: number
  /** Aborted, it rejects before the next batch. */
  readonly signal?: AbortSignal
  onStep(name: string): void
  onProgress(rows: number, of: number): void
}

export interface FillStep {
  readonly name: string
  readonly rows: number
  readonly seconds: number
}

const transactionsPerDayByDefault = 850_000
/** A credit line in rials: what these cards spend, so that there are no loads of them. */
const creditLimit = 1_000_000_000_000n
const tokenDigits = 32
const clientsPerDay = 3
/** So that the WAL of what has been written does not fill the disk. */
const daysPerCheckpoint = 3
const progressEvery = 20_000

/**
 * Fills the database of a tenant with cards and with transactions of past days, as the switch would have left them:
 * the audit finds nothing. Tables are loaded by COPY, a day of transactions at a time, whose indexes are made while the
 * next day is being written.
 */
export async function fill(options: FillOptions): Promise<FillStep[]> {
  const steps: FillStep[] = []
  const clients = await Promise.all(Array.from({ length: 2 * clientsPerDay + 1 }, () => connect(options.databaseUrl)))
  const [client] = clients as [pg.Client, ...pg.Client[]]
  const timed = async (name: string, work: () => Promise<number>): Promise<void> => {
    options.onStep(name)
    const startedAt = performance.now()
    const rows = await work()
    steps.push({ name, rows, seconds: (performance.now() - startedAt) / 1000 })
  }
  try {
    const world = await readWorld(client)
    // Loaded as first credit by the files of the tenant, which would otherwise be done for all of them.
    await client.query('UPDATE tenants SET demo = false')
    const tokens = Buffer.alloc(options.cards * (tokenDigits / 2))
    await timed('cardholders', () => writeHolders(client, world, options))
    await timed('cards', () => writeCards(client, world, options, tokens))
    const spent = new Float64Array(options.cards)
    if (options.transactions > 0) {
      await timed('past transactions', () => writePast(clients, world, options, tokens, spent))
    }
    await timed('lots', () => writeLots(client, world, options, spent))
    await timed('vacuum, analyze', async () => {
      await client.query('VACUUM (ANALYZE)')
      return 0
    })
    await timed('checkpoint', async () => {
      await client.query('CHECKPOINT')
      return 0
    })
    return steps
  } finally {
    await Promise.all(clients.map(one => one.end()))
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: 'charsu-bench-fill' })
  client.on('error', () => {})
  await client.connect()
  await client.query('SET synchronous_commit = off')
  return client
}

async function writeHolders(client: pg.Client, { tenant, firstHolder }: World, { cards, onProgress }: FillOptions) {
  const copy = await CopyIn.begin(client, 'cardholders', 'tenant, id')
  for (let index = 0; index < cards; index++) {
    await copy.put([tenant, firstHolder + index])
    if (index % progressEvery === 0) onProgress(index, cards)
  }
  await copy.end()
  return copy.rows
}

async function writeCards(
  client: pg.Client,
  { tenant, firstHolder, firstSerial }: World,
  { cards, panKey, onProgress }: FillOptions,
  tokens: Buffer,
): Promise<number> {
  const copy = await CopyIn.begin(client, 'cards', 'token, holder, tenant, last4')
  for (let index = 0; index < cards; index++) {
    const pan = cardNumber(cardBin, firstSerial + index)
    const token = panToken(pan, panKey)
    tokens.write(token, (index * tokenDigits) / 2, 'hex')
    await copy.put([token, firstHolder + index, tenant, pan.slice(-4)])
    if (index % progressEvery === 0) onProgress(index, cards)
  }
  await copy.end()
  return copy.rows
}

async function writeLots(
  client: pg.Client,
  { tenant, firstHolder, firstLot, program, funder, asset }: World,
  { cards, onProgress }: FillOptions,
  spent: Float64Array,
): Promise<number> {
  const columns = 'holder, lot, tenant, program, funder, asset, credit_limit, debits_posted'
  const copy = await CopyIn.begin(client, 'lots', columns)
  for (let index = 0; index < cards; index++) {
    const debits = spent[index] as number
    await copy.put([firstHolder + index, firstLot + index, tenant, program, funder, asset, creditLimit, debits])
    if (index % progressEvery === 0) onProgress(index, cards)
  }
  await copy.end()
  await client.query("SELECT setval('lot_seq', $1)", [firstLot + cards])
  return copy.rows
}

async function writePast(
  clients: readonly pg.Client[],
  world: World,
  { cards, transactions, transactionsPerDay = transactionsPerDayByDefault, signal, onProgress }: FillOptions,
  tokens: Buffer,
  spent: Float64Array,
): Promise<number> {
  const days = Math.ceil(transactions / transactionsPerDay)
  // Before the days that the switch has made partitions for.
  const last = world.today - 3
  const turns = [0, clientsPerDay].map(from => clients.slice(from, from + clientsPerDay))
  const pending: (Promise<unknown> | undefined)[] = []
  let checkpoint: Promise<unknown> | undefined
  let written = 0
  let batch = world.firstBatch
  for (let index = 0; index < days; index++) {
    const count = Math.min(transactionsPerDay, transactions - written)
    const before = written
    const day: PastDay = {
      ...{ day: last - days + 1 + index, count, firstBatch: batch, seed: index + 1, cards },
      onProgress: rows => {
        signal?.throwIfAborted()
        onProgress(before + rows, transactions)
      },
    }
    const turn = index % turns.length
    const ours = turns[turn] as readonly pg.Client[]
    await pending[turn]
    if (index % daysPerCheckpoint === daysPerCheckpoint - 1) {
      await checkpoint
      checkpoint = clients.at(-1)?.query('CHECKPOINT')
      checkpoint?.catch(() => undefined)
    }
    const { nextBatch, isThere } = await writePastDay(ours, world, day, tokens, spent)
    pending[turn] = isThere
    batch = nextBatch
    written += count
  }
  await Promise.all([...pending, checkpoint])
  await clients[0]?.query("SELECT setval('batch_seq', $1)", [batch])
  return written
}
