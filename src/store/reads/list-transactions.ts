import {
  type Day,
  dayOf,
  dayOfMicros,
  idOfRrn,
  type Micros,
  type TransactionId,
  transactionIdOf,
} from '../../core/ids.ts'
import { type Phase, phaseCodes } from '../../core/phases.ts'
import { type Reason, reasons } from '../../core/reasons.ts'
import { arrayOf, idOrNull, type Statement, statement, timestampOf } from '../sql.ts'
import type { Query } from './pool.ts'
import { readTransaction, type TransactionView, viewColumns, viewOf, watermarkOf } from './transactions.ts'

export interface TransactionFilter {
  /** Ids of the merchants whose transactions may be told; null: all, and those of no known merchant. */
  readonly merchants: readonly number[] | null
  readonly terminal: number | null
  readonly phase: Phase | null
  readonly reference: string | null
  readonly rrn: string | null
  /** Created at or after. */
  readonly from: Micros | null
  /** Created before. */
  readonly to: Micros | null
  /** Tokens of cards. */
  readonly cards: readonly string[] | null
  readonly holder: number | null
  readonly reason: Reason | null
  /** Of what was asked for. */
  readonly minAmount: bigint | null
  readonly maxAmount: bigint | null
  /** Only what credit of this organisation has paid a part of. */
  readonly funder: number | null
}

/** Nothing is filtered. */
export const everyTransaction: TransactionFilter = {
  merchants: null,
  terminal: null,
  phase: null,
  reference: null,
  rrn: null,
  from: null,
  to: null,
  cards: null,
  holder: null,
  reason: null,
  minAmount: null,
  maxAmount: null,
  funder: null,
}

export interface PageRequest {
  readonly tenant: number
  readonly filter: TransactionFilter
  readonly limit: number
  /** Only ids below this; null: from the newest on. */
  readonly before: TransactionId | null
  /** Every merchant of the tenant, for the indexes that begin with the merchant. */
  readonly merchantsOfTenant: readonly number[]
  readonly today: Day
}

export interface TransactionPage {
  /** Newest first. */
  readonly items: readonly TransactionView[]
  /** Where the next page begins; null at the end. A page may be short, even empty, and not be the last. */
  readonly before: TransactionId | null
}

/** Days that one page looks through: a rare filter over a long time costs many calls, never one that runs for ever. */
const daysPerPageMax = 31

/** A page of transactions. The days are the partitions, so one is read after the other until the page is full. */
export async function listTransactions(query: Query, request: PageRequest): Promise<TransactionPage> {
  if (request.filter.rrn !== null) return byRetrievalNumber(query, request, request.filter.rrn)
  if (request.filter.reference !== null) {
    return pageOf(request, await run(query, byReference(request, request.filter.reference)))
  }
  if (request.filter.holder !== null || request.filter.cards !== null) {
    return pageOf(request, await run(query, ofHolders(request)))
  }
  const { tenant, filter, limit } = request
  const firstDay = filter.from === null ? 0 : dayOfMicros(filter.from)
  const items: TransactionView[] = []
  let before = upperBound(request)
  for (let days = 0; days < daysPerPageMax; days++) {
    const [row] = await query(latestDay(tenant, before))
    const day = idOrNull(row?.[0])
    if (day === null || day < firstDay) return { items, before: null }
    items.push(...(await run(query, ofDay({ ...request, before, limit: limit - items.length }, day))))
    if (items.length > limit) return pageOf(request, items)
    before = transactionIdOf(day, 0, 0)
  }
  return { items, before }
}

const run = async (query: Query, one: Statement): Promise<TransactionView[]> => (await query(one)).map(viewOf)

/** One row more than the page holds tells that there is another page. */
function pageOf({ limit }: PageRequest, views: readonly TransactionView[]): TransactionPage {
  const items = views.slice(0, limit)
  const last = items.at(-1)
  return { items, before: views.length > limit && last !== undefined ? last.transaction.id : null }
}

/** Above the highest id that the filter allows: an id carries its day. */
function upperBound({ before, filter, today }: PageRequest): TransactionId {
  const bounds = [transactionIdOf(today + 2, 0, 0)]
  if (before !== null) bounds.push(before)
  if (filter.to !== null) bounds.push(transactionIdOf(dayOfMicros(filter.to) + 1, 0, 0))
  return Math.min(...bounds)
}

/** The latest day with a transaction below the bound. */
export const latestDay = (tenant: number, before: TransactionId): Statement =>
  statement(
    'latest_transaction_day',
    `SELECT t.day FROM transactions t WHERE t.tenant = $1 AND t.day <= $2 AND t.id < $3
     ORDER BY t.day DESC, t.id DESC LIMIT 1`,
    [tenant, dayOf(before), before],
  )

/** One row more than the limit, of one day. Without a name: it is planned for its filters, on its own partition. */
export function ofDay(request: PageRequest, day: Day): Statement {
  const where = new Conditions()
  where.add`t.tenant = ${request.tenant}`
  where.add`t.day = ${day}`
  where.add`t.id < ${request.before}`
  addFilter(where, request.filter)
  if (request.filter.merchants !== null) where.add`t.merchant = ANY (${arrayOf(request.filter.merchants)}::integer[])`
  return where.select(request.limit)
}

/** Of one holder, or of the holders of some cards: found by the index of holders, on whatever days. */
export function ofHolders({ tenant, filter, limit, before }: PageRequest): Statement {
  const where = new Conditions()
  const joinOf = (source: string): string =>
    `JOIN (${source} OFFSET 0) AS x ON t.tenant = x.tenant AND t.holder = x.holder`
  if (filter.holder === null) {
    where.addJoin(
      (one, cards) =>
        joinOf(`SELECT DISTINCT c.tenant, c.holder FROM unnest(${cards}::uuid[]) AS u(token)
          JOIN cards c ON c.tenant = ${one} AND c.token = u.token`),
      [tenant, arrayOf(filter.cards ?? [])],
    )
  } else {
    where.addJoin(
      (one, holder) => joinOf(`SELECT ${one}::integer AS tenant, ${holder}::bigint AS holder`),
      [tenant, filter.holder],
    )
  }
  if (before !== null) where.add`t.id < ${before}`
  addFilter(where, filter)
  if (filter.merchants !== null) where.add`t.merchant = ANY (${arrayOf(filter.merchants)}::integer[])`
  return where.select(limit)
}

export const byReference = (request: PageRequest, reference: string): Statement =>
  ofNumber('reference', reference, request)

/** A number may be a terminal's own, or one that the switch made from an id; both are looked for. */
async function byRetrievalNumber(query: Query, request: PageRequest, rrn: string): Promise<TransactionPage> {
  const found = await run(query, byTerminalsNumber(request, rrn))
  const id = idOfRrn(rrn, request.today)
  const own = id === null ? null : await readTransaction(query, request.tenant, id)
  if (own !== null && own.transaction.rrn === null && matches(own, request)) found.push(own)
  found.sort((one, other) => other.transaction.id - one.transaction.id)
  return pageOf(request, found)
}

export const byTerminalsNumber = (request: PageRequest, rrn: string): Statement => ofNumber('rrn', rrn, request)

/** By a number that has an index of its own: sent as columns, it is looked up there, whatever order is asked for. */
function ofNumber(column: 'reference' | 'rrn', value: string, { tenant, filter, ...request }: PageRequest): Statement {
  const where = new Conditions()
  const merchants = arrayOf(filter.merchants ?? request.merchantsOfTenant)
  where.addJoin(
    (one, many, number) =>
      `JOIN (SELECT ${one}::integer AS tenant, merchant, ${number}::text AS number
         FROM unnest(${many}::integer[]) AS merchant OFFSET 0) AS x
       ON t.tenant = x.tenant AND t.merchant = x.merchant AND t.${column} = x.number`,
    [tenant, merchants, value],
  )
  if (request.before !== null) where.add`t.id < ${request.before}`
  // The number once more, as a constant, would make the planner look for it without tenant and merchant.
  addFilter(where, { ...filter, [column]: null })
  return where.select(request.limit)
}

/** The filter on a row that was found by its id. */
function matches({ transaction, isSettled }: TransactionView, { filter, before }: PageRequest): boolean {
  const { merchant, terminal, at, id, amounts, legs } = transaction
  const { merchants, phase, from, to, cards, holder, reason, minAmount, maxAmount, funder } = filter
  if (before !== null && id >= before) return false
  if (merchants !== null && (merchant === null || !merchants.includes(merchant))) return false
  if (filter.terminal !== null && filter.terminal !== terminal) return false
  if (filter.reference !== null && filter.reference !== transaction.reference) return false
  if (phase !== null && phase !== (isSettled ? 'settled' : transaction.phase)) return false
  if (cards !== null && !cards.includes(transaction.card)) return false
  if (holder !== null && holder !== transaction.holder) return false
  if (reason !== null && reason !== transaction.reason) return false
  if (minAmount !== null && amounts.requested < minAmount) return false
  if (maxAmount !== null && amounts.requested > maxAmount) return false
  if (funder !== null && !legs.some(leg => leg.funder === funder)) return false
  return (from === null || at >= from) && (to === null || at < to)
}

function addFilter(where: Conditions, filter: TransactionFilter): void {
  const { terminal, reference, phase, from, to, cards, holder, reason, minAmount, maxAmount, funder } = filter
  if (reference !== null) where.add`t.reference = ${reference}`
  if (terminal !== null) where.add`t.terminal = ${terminal}`
  if (from !== null) where.addText(value => `t.at >= ${timestampOf(`${value}::bigint`)}`, from)
  if (to !== null) where.addText(value => `t.at < ${timestampOf(`${value}::bigint`)}`, to)
  if (cards !== null) where.add`t.card = ANY (${arrayOf(cards)}::uuid[])`
  if (holder !== null) where.add`t.holder = ${holder}`
  if (reason !== null) where.add`t.reason = ${reasons[reason].code}`
  if (minAmount !== null) where.add`t.requested >= ${`${minAmount}`}::bigint`
  if (maxAmount !== null) where.add`t.requested <= ${`${maxAmount}`}::bigint`
  // The third number of each leg is its funder.
  if (funder !== null) {
    where.addText(
      value => `EXISTS (SELECT FROM generate_series(3, cardinality(t.legs), 5) AS i WHERE t.legs[i] = ${value})`,
      funder,
    )
  }
  if (phase === null) return
  where.add`t.phase = ${phaseCodes[phase === 'settled' ? 'confirmed' : phase]}`
  if (phase === 'settled') where.addFixed(`t.confirmed_in <= ${watermarkOf('t')}`)
  if (phase === 'confirmed') where.addFixed(`t.confirmed_in > coalesce(${watermarkOf('t')}, -1)`)
}

type Value = string | number | null

/** A statement in the making; values become parameters. */
class Conditions {
  readonly #conditions: string[] = []
  readonly #values: Value[] = []
  #join = ''

  add(texts: TemplateStringsArray, value: Value): void {
    this.addText(parameter => `${texts[0]}${parameter}${texts[1]}`, value)
  }

  addText(conditionOf: (parameter: string) => string, value: Value): void {
    this.#conditions.push(conditionOf(this.#parameter(value)))
  }

  addFixed(condition: string): void {
    this.#conditions.push(condition)
  }

  addJoin(joinOf: (...parameters: string[]) => string, values: readonly Value[]): void {
    this.#join = joinOf(...values.map(value => this.#parameter(value)))
  }

  select(limit: number): Statement {
    const where = this.#conditions.length === 0 ? '' : `WHERE ${this.#conditions.join(' AND ')}`
    const text = `SELECT ${viewColumns('t')} FROM transactions t ${this.#join} ${where}
      ORDER BY t.day DESC, t.id DESC LIMIT ${this.#parameter(limit + 1)}`
    return statement('', text, [...this.#values])
  }

  #parameter(value: Value): string {
    this.#values.push(value)
    return `$${this.#values.length}`
  }
}
