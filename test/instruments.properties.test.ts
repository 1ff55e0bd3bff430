import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Command } from '../src/core/commands.ts'
import type { Outcome } from '../src/core/decision.ts'
import { dayOfMicros } from '../src/core/ids.ts'
import { availableOf, isExpired, isLot, type Lot } from '../src/core/ledger.ts'
import { type LocalTime, localTimeOf } from '../src/core/local-time.ts'
import { isApproval } from '../src/core/reasons.ts'
import { type Limit, openTerms } from '../src/core/terms.ts'
import type { Decision, Transaction } from '../src/core/transactions.ts'
import { type Counter, countersOf, usedOf } from '../src/core/usage.ts'
import {
  adjust,
  authorize,
  breakage,
  card,
  cardToken,
  catalogWith,
  clawback,
  confirm,
  deposit,
  expire,
  limitOf,
  load,
  lot,
  newKey,
  program,
  programIds,
  refund,
  reverse,
  second,
  startOfTime,
  transfer,
} from './support/core.ts'
import { MemoryLedger } from './support/memory-ledger.ts'

const { credit, welfare, gift } = programIds
/** Every program has it, so that it holds whichever of them pays. */
const ofHolder = limitOf('holder', { per: 'week', amount: 160n })
const catalog = catalogWith({
  programs: [
    program(credit, 'credit', {
      priority: 2,
      limits: [ofHolder, limitOf('account', { amount: 200n, count: 4 })],
      expiry: { kind: 'inactivity', days: 2 },
      returns: { intoExpired: { reviveDays: 1 } },
    }),
    program(welfare, 'welfare', {
      limits: [
        ofHolder,
        limitOf('organisation', { amount: 90n }),
        limitOf('account', { per: 'persian_month', count: 6 }),
        limitOf('holder', { per: 'hours', hours: 1, count: 5 }),
      ],
      purchase: { ...openTerms.purchase, sharePercent: 80 },
      expiry: { kind: 'end_of_period', per: 'day' },
      transfersTo: ['credit'],
    }),
    program(gift, 'gift', {
      priority: 1,
      limits: [ofHolder, limitOf('merchant', { per: 'hours', hours: 2, amount: 150n })],
      fallback: 'none',
      transfersTo: ['credit', 'welfare'],
    }),
  ],
  funders: [
    { id: 1, contract: 'prepaid' },
    { id: 2, contract: 'credit_line', creditLimit: 100n },
  ],
})
const floorOf = (organisation: number): bigint => (organisation === 2 ? -100n : 0n)
const openingBalances = [
  [1, 500n],
  [2, 0n],
] as const
const openingLots: readonly Lot[] = [
  lot(11, 1, 120n, { program: welfare, funder: 2, expiresAt: startOfTime + 3_600 * second }),
  lot(12, 1, 150n, { expiresAt: startOfTime + 5_400 * second }),
  lot(13, 1, 90n, { program: gift }),
  lot(14, 1, 0n, { limit: 60n }),
  lot(21, 2, 80n, { program: welfare, funder: 2 }),
  lot(22, 2, 40n),
]
const cards = [card(1), card(2), card(5, { holder: 1 })]

const kinds = [
  ...Array.from({ length: 8 }, () => 'authorize' as const),
  ...Array.from({ length: 3 }, () => ['confirm', 'reverse', 'refund', 'pass', 'again'] as const).flat(),
  ...['expire', 'late', 'load', 'load', 'clawback', 'adjust', 'transfer', 'sweep', 'sweep', 'deposit'],
] as const
/** `of` counts back, or round; `part`: of all there is if it is null. */
interface Step {
  readonly kind: (typeof kinds)[number]
  readonly of: number
  readonly to: number
  readonly amount: bigint
  readonly part: bigint | null
  readonly flag: boolean
  readonly seconds: number
}
const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(...kinds),
  of: fc.oneof({ weight: 3, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.nat(60) }),
  to: fc.nat(5),
  amount: fc.oneof(fc.bigInt(1n, 15n), fc.bigInt(1n, 150n)),
  part: fc.option(fc.bigInt(1n, 90n), { nil: null }),
  flag: fc.boolean(),
  seconds: fc.constantFrom(1, 61, 901, 2_000, 3_700, 30_000, 86_400, 400_000),
})

/** One run: the commands of the steps, and what was told of them. */
class Run {
  readonly ledger = new MemoryLedger({ cards, lots: openingLots, balances: openingBalances, catalog })
  readonly told: [Command, Decision][] = []
  readonly #opened: number[] = []
  readonly #purchases: number[] = []

  commandOf({ kind, of, to, amount, part, flag }: Step): Command | null {
    const holder = 1 + (to % 2)
    const id = this.#opened.at(-1 - (of % Math.max(1, this.#opened.length)))
    const lots = [...this.ledger.lots.values()]
    const some = lots[of % lots.length] as Lot
    const programId = 1 + (of % 3)
    switch (kind) {
      case 'authorize':
        return authorize(amount, {
          card: cardToken([1, 2, 5, 1, 1, 2][to] as number),
          ...(of % 4 === 0 ? { merchant: 'M2', terminal: 'T3' } : {}),
          capture: flag,
          partial: of % 3 === 0,
          eligibleAmount: of % 5 === 0 ? amount / 2n : null,
        })
      case 'confirm':
        return id === undefined ? null : confirm(id, part)
      case 'reverse':
        return id === undefined ? null : reverse(id, part)
      case 'refund':
        return id === undefined ? null : refund(id, part)
      case 'expire':
        return id === undefined ? null : expire(id, { key: newKey() })
      case 'late': {
        const purchase = this.#purchases.at(-1 - (of % Math.max(1, this.#purchases.length)))
        this.ledger.settle('M1')
        return purchase === undefined ? null : reverse(purchase, null, { channel: 'terminal' })
      }
      case 'load':
        return load(holder, amount, { program: programId, funder: flag ? 1 : 2 })
      case 'clawback':
        return clawback(holder, part, { program: programId, funder: flag ? 1 : null })
      case 'adjust':
        return adjust(some.holder, some.id, flag ? amount : -amount)
      case 'transfer':
        return transfer([holder, programId], [flag ? holder : 3 - holder, 1 + (to % 3)], part)
      case 'sweep':
        return breakage(some.holder, some.id, some.sweepDue ?? 0)
      case 'deposit':
        return deposit(flag ? 1 : 2, of % 2 === 0 ? amount : -amount)
      case 'again':
        return this.told.at(-1 - (of % Math.max(1, this.told.length)))?.[0] ?? null
      case 'pass':
        return null
    }
  }

  note(command: Command, outcome: Outcome): void {
    if (outcome.kind !== 'decided') throw new Error(`the answer to a ${command.kind} is ${outcome.kind}`)
    const { decision } = outcome
    const first = this.told.find(([{ key }]) => key === command.key)
    // What is not stored may be asked for again.
    const isStored = this.ledger.decisions.has(command.key)
    if (first !== undefined && isStored && this.ledger.decisions.get(command.key) === first[1]) {
      expect(decision).toEqual(first[1])
      return
    }
    if (isStored) this.told.push([command, decision])
    if (decision.transaction === null || !isApproval(decision.reason)) return
    if (command.kind === 'authorize') this.#purchases.push(decision.transaction)
    if (command.kind === 'authorize' || command.kind === 'refund') this.#opened.push(decision.transaction)
  }
}

/** What the purchases of a run have counted: approved, less what was reversed and released of it. */
function countedBy({ ledger }: Run) {
  const perLeg = new Map<number, Map<number, bigint>>()
  for (const { kind, transaction: id, postings } of ledger.decisions.values()) {
    const transaction = id === null ? undefined : ledger.transactions.get(id)
    if (transaction === undefined || kind === 'refund') continue
    for (const { debit, credit, pending, posted } of postings) {
      // A refund that is taken back was not given back to limits; a late reverse by a terminal was.
      if (transaction.kind === 'refund' && isLot(debit)) continue
      const purchase = transaction.original ?? transaction.id
      const legs = perLeg.get(purchase) ?? new Map<number, bigint>()
      perLeg.set(purchase, legs)
      const lotId = isLot(debit) ? debit : credit
      legs.set(lotId, (legs.get(lotId) ?? 0n) + (isLot(debit) ? pending + posted : -posted))
    }
  }
  const late = new Set<number | null>()
  for (const { kind, transaction: id } of ledger.decisions.values()) {
    if (kind === 'reverse' && id !== null) late.add(ledger.transactions.get(id)?.original ?? null)
  }
  return [...perLeg].map(([id, legs]) => {
    return { transaction: ledger.transactions.get(id) as Transaction, legs, isLate: late.has(id) }
  })
}

const remembered = new Map<number, LocalTime>()
function localOf(at: number): LocalTime {
  const local = remembered.get(at) ?? localTimeOf(at, catalog.tenant)
  remembered.set(at, local)
  return local
}

function checkLimits(run: Run): void {
  const { ledger } = run
  const now = localOf(ledger.at)
  const purchases = countedBy(run).filter(({ transaction }) => transaction.phase !== 'refused')
  const check = (
    limit: Limit,
    programId: number,
    merchant: number,
    holder: number | null,
    funder: number | null,
  ): void => {
    const counterAt = (at: number): Counter =>
      countersOf([limit], programId, merchant, localOf(at), catalog)[0] as Counter
    const present = countersOf([limit], programId, merchant, now, catalog)[0] as Counter
    const expected = { amount: 0n, count: 0 }
    let mayCount = 0
    for (const { transaction, legs, isLate } of purchases) {
      const { window } = counterAt(transaction.at)
      if (window < present.since || (holder !== null && transaction.holder !== holder)) continue
      if (limit.of === 'merchant' && transaction.merchant !== merchant) continue
      const own = [...legs].filter(([id]) => {
        const one = ledger.lots.get(id) as Lot
        return limit.of === 'holder' || (one.program === programId && (funder === null || one.funder === funder))
      })
      if (own.length === 0) continue
      expected.amount += own.reduce((sum, [, amount]) => sum + amount, 0n)
      if ([...legs.values()].some(amount => amount > 0n)) expected.count += 1
      // Undone by late reverses and refunds that are undone in their turn, it may still count as a purchase.
      else if (isLate) mayCount += 1
    }
    const usage = holder === null ? ledger.organisations.get(funder ?? 0)?.usage : ledger.usage.get(holder)
    const used = usedOf(usage ?? [], present)
    const count = used.count <= expected.count + mayCount ? Math.min(used.count, expected.count) : used.count
    expect({ limit, ...used, count }).toEqual({ limit, ...expected })
    if (limit.amount !== null) expect(expected.amount <= limit.amount).toBe(true)
    if (limit.count !== null && limit.of !== 'holder') expect(expected.count).toBeLessThanOrEqual(limit.count)
  }
  for (const { id, versions } of catalog.programsById.values()) {
    for (const limit of versions[0]?.terms.limits ?? []) {
      for (const merchant of limit.of === 'merchant' ? [1, 2] : [0]) {
        if (limit.of === 'organisation') for (const funder of [1, 2]) check(limit, id, 0, null, funder)
        else for (const holder of [1, 2]) check(limit, id, merchant, holder, null)
      }
    }
  }
}

function checkBooks({ ledger }: Run): void {
  const balances = new Map<number, bigint>()
  const moved = new Map<number, bigint>()
  const isPurchase = new Set(['authorize', 'confirm', 'reverse', 'refund', 'expire'])
  const add = (sums: Map<number, bigint>, account: number, amount: bigint): void => {
    sums.set(account, (sums.get(account) ?? 0n) + amount)
  }
  for (const { kind, postings } of ledger.decisions.values()) {
    for (const { debit, credit, posted } of postings) {
      add(balances, debit, -posted)
      add(balances, credit, posted)
      if (isPurchase.has(kind)) continue
      add(moved, debit, -posted)
      add(moved, credit, posted)
    }
  }
  expect([...balances.values()].reduce((sum, amount) => sum + amount, 0n)).toBe(0n)
  for (const one of ledger.lots.values()) {
    const opening = openingLots.find(({ id }) => id === one.id)
    const { id, creditsPosted, debitsPosted } = one
    const balance = (opening?.creditsPosted ?? 0n) + (balances.get(id) ?? 0n)
    expect({ id, balance: creditsPosted - debitsPosted }).toEqual({ id, balance })
    expect(availableOf(one) >= 0n && one.debitsPending >= 0n).toBe(true)
    const movements = ledger.movements.filter(movement => movement.lot === id)
    expect({ id, moved: movements.reduce((sum, { amount }) => sum + amount, 0n) }).toEqual({
      id,
      moved: moved.get(id) ?? 0n,
    })
    // What has expired is spent, held, or due to be swept: none of it is forgotten.
    const isForgotten = isExpired(one, ledger.at) && availableOf(one) > one.limit && one.sweepDue === null
    expect({ id, isForgotten }).toEqual({ id, isForgotten: false })
    if (!isExpired(one, ledger.at)) expect({ id, due: one.sweepDue }).toEqual({ id, due: one.expiresAt })
  }
  for (const [id, opening] of openingBalances) {
    const { account = 0 } = catalog.fundersById.get(id) ?? {}
    const balance = ledger.organisations.get(id)?.balance ?? 0n
    expect({ id, balance }).toEqual({ id, balance: opening + (balances.get(account) ?? 0n) })
    expect(balance >= floorOf(id)).toBe(true)
  }
}

describe('random runs over lots, limits, expiries and what moves value', () => {
  const runs = fc.record({
    steps: fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }),
    sizes: fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 4 }),
  })

  test('books balance, limits hold and are the fold of what is in force, nothing that expires is forgotten', () => {
    const reasons = new Map<string, number>()
    const property = fc.property(runs, ({ steps, sizes }) => {
      const run = new Run()
      let gathered: Command[] = []
      let sent = 0
      const send = (): void => {
        const commands = gathered
        gathered = []
        sent += 1
        run.ledger.submit(commands).forEach((outcome, index) => {
          run.note(commands[index] as Command, outcome)
        })
        checkBooks(run)
        checkLimits(run)
      }
      for (const one of steps) {
        if (one.kind === 'pass') {
          if (gathered.length > 0) send()
          run.ledger.at += one.seconds * second
          continue
        }
        const command = run.commandOf(one)
        // Of a day of their own, keys are known for ever.
        if (command !== null) gathered.push({ ...command, day: dayOfMicros(startOfTime) })
        if (gathered.length >= (sizes[sent % sizes.length] ?? 1)) send()
      }
      if (gathered.length > 0) send()
      for (const { kind, reason } of run.ledger.decisions.values()) {
        const name = `${kind} ${reason}`
        reasons.set(name, (reasons.get(name) ?? 0) + 1)
      }
    })
    fc.assert(property, { numRuns: 500 })
    // The runs go everywhere.
    expect(reached.filter(name => !reasons.has(name))).toEqual([])
  })
})

const reached = [
  'authorize approved',
  'authorize approved_partially',
  'authorize amount_limit',
  'authorize count_limit',
  'authorize budget_exhausted',
  'authorize insufficient_funds',
  'authorize insufficient_funds_held',
  'authorize pays_alone_only',
  'confirm approved',
  'reverse approved',
  'refund approved',
  'expire approved',
  'load approved',
  'load funding_insufficient',
  'clawback approved',
  'adjust approved',
  'transfer approved',
  'breakage approved',
  'deposit approved',
]
