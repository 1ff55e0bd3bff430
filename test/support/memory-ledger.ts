import { businessDateOf } from '../../src/core/calendar.ts'
import type { Catalog } from '../../src/core/catalog.ts'
import type { Command, Confirm, Refund, Reverse } from '../../src/core/commands.ts'
import { decide } from '../../src/core/decide.ts'
import { bothNeeds, type DecisionContext, type Need, type Outcome } from '../../src/core/decision.ts'
import { dayOfMicros, idOfRrn, type Micros } from '../../src/core/ids.ts'
import { availableOf, type Lot } from '../../src/core/ledger.ts'
import { localTimeOf } from '../../src/core/local-time.ts'
import type { Phase } from '../../src/core/phases.ts'
import type { Card, Decision, Transaction } from '../../src/core/transactions.ts'
import type { Usage } from '../../src/core/usage.ts'
import { type BillReference, type Movement, type OrganisationCounters, WorkingSet } from '../../src/core/working-set.ts'
import { waitingForEarlier, withOriginal } from '../../src/engine/originals.ts'
import { type Planned as Job, planReads, type ReadPlan } from '../../src/engine/reads.ts'
import { today, yesterday } from '../../src/store/batch/read.ts'
import { authorize, catalog as demoCatalog, expire, newKey, reverse, second, startOfTime } from './core.ts'

export type Decided = Extract<Outcome, { kind: 'decided' }>

interface Setting {
  readonly cards?: readonly Card[]
  readonly lots?: readonly Lot[]
  /** What organisations have paid in less what they have loaded: id and balance. */
  readonly balances?: readonly (readonly [organisation: number, balance: bigint])[]
  readonly catalog?: Catalog
  /** Every batch reads every row, so that nothing is ever deferred. */
  readonly readsAll?: boolean
}

/**
 * The database and the engine without either: rows in maps, batches that read what the engine's plan reads and no more,
 * and writes as strict as the statements of the store. For the decisions of thousands of sequences.
 */
export class MemoryLedger {
  readonly decisions = new Map<string, Decision>()
  readonly transactions = new Map<number, Transaction>()
  readonly cards = new Map<string, Card>()
  readonly lots = new Map<number, Lot>()
  /** Merchant id to the last batch that its settlements have taken. */
  readonly watermarks = new Map<number, number>()
  readonly bills = new Map<string, BillReference>()
  /** What the limits of holders have counted. */
  readonly usage = new Map<number, Usage>()
  readonly organisations = new Map<number, OrganisationCounters>()
  readonly movements: Movement[] = []
  /** May be changed between commands, as an operator does. */
  catalog: Catalog
  at: Micros = startOfTime
  batch = 0
  #sequence = 0
  #lastLot = 10_000
  readonly #readsAll: boolean

  constructor({ cards = [], lots = [], balances = [], catalog = demoCatalog, readsAll = false }: Setting = {}) {
    this.#readsAll = readsAll
    for (const card of cards) this.cards.set(card.token, card)
    for (const lot of lots) this.lots.set(lot.id, lot)
    this.catalog = catalog
    for (const id of catalog.fundersById.keys()) this.organisations.set(id, { id, balance: 0n, usage: [] })
    for (const [id, balance] of balances) this.organisations.set(id, { id, balance, usage: [] })
  }

  /** One command, whose answer must be a decision. */
  do(command: Command): Decided {
    const [outcome] = this.submit([command])
    if (outcome?.kind !== 'decided') throw new Error(`no decision but ${JSON.stringify(outcome)}`)
    return outcome
  }

  /** A transaction of 100 on card 1 at M1 that is in this phase; its id. A hold that has `expired` was taken off. */
  open(phase: Phase): number {
    const opening =
      phase === 'refused' ? { currency: 'EUR' } : { capture: phase === 'confirmed' || phase === 'settled' }
    const { transaction } = this.do(authorize(100n, opening)).decision
    const id = transaction as number
    if (phase === 'settled') this.settle('M1')
    if (phase === 'reversed') this.do(reverse(id))
    if (phase === 'expired') {
      this.at += 900 * second
      this.do(expire(id, { key: newKey() }))
    }
    return id
  }

  /** Closes a settlement of everything that the merchant has. */
  settle(merchant: string): void {
    this.watermarks.set(this.catalog.merchantsByCode.get(merchant)?.id ?? 0, this.batch)
  }

  /** Commands in batches of these sizes (the last size is for all that remain); what is deferred goes to the next. */
  submit(commands: readonly Command[], sizes: readonly number[] = [commands.length]): Outcome[] {
    const outcomes: Outcome[] = []
    let queue = commands.map((command, index) => ({ command, index, need: {} as Need, holder: null, hold: null }))
    for (let run = 0; queue.length > 0; run++) {
      if (run > commands.length * 8) throw new Error('commands are deferred for ever')
      const jobs = queue.slice(0, sizes[Math.min(run, sizes.length - 1)])
      const deferred: typeof queue = []
      this.#run(jobs).forEach((outcome, at) => {
        const job = jobs[at] as (typeof jobs)[number]
        if (outcome.kind === 'deferred') deferred.push({ ...job, need: bothNeeds(job.need, outcome.need) })
        else outcomes[job.index] = outcome
      })
      queue = [...deferred, ...queue.slice(jobs.length)]
    }
    return outcomes
  }

  #run(jobs: readonly Job[]): Outcome[] {
    const waiting = waitingForEarlier(jobs.map(({ command }) => command))
    const resolved = jobs.map(job => ({ ...job, command: this.#resolve(job.command) }))
    const { rows, newLots } = this.#read(resolved)
    this.batch += 1
    this.at += 7
    const { timeZone, cutOverSeconds } = this.catalog.tenant
    const context: DecisionContext = {
      catalog: this.catalog,
      at: this.at,
      batch: this.batch,
      businessDate: businessDateOf(this.at, timeZone, cutOverSeconds),
      local: localTimeOf(this.at, this.catalog.tenant),
      nextLot: () => newLots.shift(),
      nextSequence: () => ++this.#sequence,
    }
    const outcomes = resolved.map(({ command }, index) =>
      waiting.has(index) ? ({ kind: 'deferred', need: {} } as const) : decide(command, rows, context),
    )
    this.#write(rows)
    return outcomes
  }

  #read(jobs: readonly Job[]): { rows: WorkingSet; newLots: number[] } {
    const plan = planReads(jobs, this.catalog)
    const newLots = Array.from({ length: plan.newLots }, () => ++this.#lastLot)
    return { rows: this.#readsAll ? this.#readAll() : this.#readPlanned(plan), newLots }
  }

  #readPlanned(plan: ReadPlan): WorkingSet {
    const day = dayOfMicros(this.at)
    const decisionsOf = (keys: readonly string[], days: readonly number[]): Decision[] =>
      keys.flatMap((key, index) => {
        const asked = days[index] === today ? day : days[index] === yesterday ? day - 1 : days[index]
        const found = this.decisions.get(key)
        return found !== undefined && found.day === asked ? [found] : []
      })
    const transactionsOf = (ids: Iterable<number>, keys: readonly string[], days: readonly number[]): Transaction[] => {
      const named = decisionsOf(keys, days).flatMap(({ transaction }) => transaction ?? [])
      return [...new Set([...ids, ...named])].flatMap(id => this.transactions.get(id) ?? [])
    }
    const transactions = transactionsOf(plan.ids, plan.originalKeys, plan.originalDays)
    const cards = [...plan.tokens].flatMap(token => this.cards.get(token) ?? [])
    const lotsOf = [...cards, ...transactionsOf(plan.lotsOfIds, plan.lotsOfKeys, plan.lotsOfDays)]
    const holdersWithLots = new Set([...plan.lotsOf, ...lotsOf.flatMap(({ holder }) => holder ?? [])])
    const unknown = transactionsOf(plan.idsOfUnknown, plan.originalKeys, plan.originalDays)
    const found = [...cards, ...unknown].flatMap(({ holder }) => holder ?? [])
    const counted = new Set([...plan.countedHolders, ...found])
    const locked = new Set([...plan.holders, ...counted])
    const tokensOf = new Set(cards.map(({ holder }) => holder))
    const lots = [...this.lots.values()]
    const budgets = lots.filter(one => tokensOf.has(one.holder) && plan.programsWithBudgets.includes(one.program))
    return new WorkingSet({
      decisions: decisionsOf(plan.keys, plan.days),
      transactions,
      cards,
      lots: lots.filter(({ holder }) => holdersWithLots.has(holder)),
      lockedHolders: [...locked].map(one => [one, counted.has(one) ? (this.usage.get(one) ?? []) : null] as const),
      organisations: [...new Set([...plan.organisations, ...budgets.map(({ funder }) => funder)])].flatMap(
        id => this.organisations.get(id) ?? [],
      ),
      holdersWithLots: [...holdersWithLots],
      settledUpTo: [...plan.watermarksOf].map(id => [id, this.watermarks.get(id) ?? -1] as const),
      rememberedReversals: plan.bills.filter(bill => this.bills.has(billKey(bill))),
    })
  }

  #readAll(): WorkingSet {
    const cards = [...this.cards.values()]
    const lots = [...this.lots.values()]
    const holders = [...new Set([...cards, ...lots].map(({ holder }) => holder))]
    return new WorkingSet({
      decisions: [...this.decisions.values()],
      transactions: [...this.transactions.values()],
      cards,
      lots,
      lockedHolders: holders.map(holder => [holder, this.usage.get(holder) ?? []] as const),
      organisations: [...this.organisations.values()],
      holdersWithLots: holders,
      settledUpTo: [...this.catalog.merchantsById.keys()].map(id => [id, this.watermarks.get(id) ?? -1] as const),
      rememberedReversals: [...this.bills.values()],
    })
  }

  /** As the look-ups of the store do. */
  #resolve(command: Command): Command {
    if (command.kind !== 'confirm' && command.kind !== 'reverse' && command.kind !== 'refund') return command
    return withOriginal(command, this.#candidates(command))
  }

  #candidates({ original }: Confirm | Reverse | Refund): number[] {
    const opened = (isMeant: (decision: Decision) => boolean): number[] =>
      [...this.decisions.values()].filter(isMeant).flatMap(({ transaction }) => transaction ?? [])
    switch (original.by) {
      case 'id':
      case 'ambiguity':
        return []
      case 'key':
        return original.day === null ? opened(({ key }) => key === original.key) : []
      case 'keyRange':
        return opened(({ key }) => {
          return key >= original.from && key <= original.to && key.slice(-2) === original.from.slice(-2)
        })
      case 'rrn': {
        const own = idOfRrn(original.rrn, dayOfMicros(this.at))
        return this.#of(original.merchant, ({ rrn, id }) => (rrn === null ? id === own : rrn === original.rrn))
      }
      case 'reference': {
        const isMeant = ({ reference, kind }: Transaction): boolean =>
          reference === original.reference && kind !== 'refund'
        return this.#of(original.merchant, isMeant).toSorted((one, other) => other - one)
      }
    }
  }

  #of(merchant: string, isMeant: (transaction: Transaction) => boolean): number[] {
    const id = this.catalog.merchantsByCode.get(merchant)?.id
    return [...this.transactions.values()].filter(one => one.merchant === id && isMeant(one)).map(one => one.id)
  }

  #write(rows: WorkingSet): void {
    for (const decision of rows.newDecisions) {
      if (this.decisions.has(decision.key)) throw new Error(`23505: key ${decision.key} is there`)
      this.decisions.set(decision.key, decision)
    }
    for (const transaction of rows.openedTransactions) {
      if (this.transactions.has(transaction.id)) throw new Error(`23505: transaction ${transaction.id} is there`)
      this.transactions.set(transaction.id, transaction)
    }
    for (const { token, read, tries } of rows.changedPinTries) {
      const stored = this.cards.get(token)
      if (stored?.pinTries !== read) throw new Error('CH001: cards')
      this.cards.set(token, { ...stored, pinTries: tries })
    }
    for (const { before, after } of rows.changedTransactions) {
      const stored = this.transactions.get(before.id)
      if (stored?.phase !== before.phase || stored.version !== before.version) throw new Error('CH001: transactions')
      const { phase, version, confirmedIn, legs } = after
      const { requested, authorized } = stored.amounts
      const amounts = { ...after.amounts, requested, authorized }
      this.transactions.set(after.id, { ...stored, phase, version, confirmedIn, legs, amounts })
    }
    for (const lot of rows.newLots) {
      if (this.lots.has(lot.id)) throw new Error(`23505: lot ${lot.id} is there`)
      this.lots.set(lot.id, lot)
    }
    for (const delta of rows.lotDeltas.values()) {
      const lot = this.lots.get(delta.lot)
      if (lot === undefined || lot.holder !== delta.holder) throw new Error('CH001: lots')
      const after: Lot = {
        ...lot,
        debitsPending: lot.debitsPending + delta.debitsPending,
        debitsPosted: lot.debitsPosted + delta.debitsPosted,
        creditsPending: lot.creditsPending + delta.creditsPending,
        creditsPosted: lot.creditsPosted + delta.creditsPosted,
      }
      const counters = [after.debitsPending, after.debitsPosted, after.creditsPending, after.creditsPosted]
      if (counters.some(counter => counter < 0n) || availableOf(after) < 0n) throw new Error('23514: lots')
      this.lots.set(lot.id, after)
    }
    for (const { lot, holder, expiresAt, sweepDue } of rows.changedLots) {
      const stored = this.lots.get(lot)
      if (stored?.holder !== holder) throw new Error('CH001: lots')
      this.lots.set(lot, { ...stored, expiresAt, sweepDue })
    }
    for (const { holder, usage } of rows.changedUsage) this.usage.set(holder, usage)
    for (const { read, after } of rows.changedOrganisations) {
      if (this.organisations.get(after.id) !== read) throw new Error('CH001: organisation_counters')
      this.organisations.set(after.id, after)
    }
    this.movements.push(...rows.movements)
    for (const bill of rows.remembered) this.bills.set(billKey(bill), bill)
    for (const bill of rows.recalled) {
      if (!this.bills.delete(billKey(bill))) throw new Error('CH001: remembered reversals')
    }
  }
}

const billKey = ({ merchant, reference }: BillReference): string => `${merchant}|${reference}`
