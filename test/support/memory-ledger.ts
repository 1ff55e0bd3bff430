import { businessDateOf } from '../../src/core/calendar.ts'
import type { Catalog } from '../../src/core/catalog.ts'
import type { Command, Confirm, Refund, Reverse } from '../../src/core/commands.ts'
import { decide } from '../../src/core/decide.ts'
import type { DecisionContext, Need, Outcome } from '../../src/core/decision.ts'
import { dayOfMicros, idOfRrn, type Micros } from '../../src/core/ids.ts'
import { availableOf, type Lot } from '../../src/core/ledger.ts'
import type { Phase } from '../../src/core/phases.ts'
import type { Card, Decision, Transaction } from '../../src/core/transactions.ts'
import { type BillReference, WorkingSet } from '../../src/core/working-set.ts'
import { waitingForEarlier, withOriginal } from '../../src/engine/originals.ts'
import { planReads } from '../../src/engine/reads.ts'
import { today, yesterday } from '../../src/store/batch/read.ts'
import { authorize, catalog as demoCatalog, expire, newKey, reverse, second, startOfTime } from './core.ts'

export type Decided = Extract<Outcome, { kind: 'decided' }>

interface Setting {
  readonly cards?: readonly Card[]
  readonly lots?: readonly Lot[]
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
  readonly catalog: Catalog
  at: Micros = startOfTime
  batch = 0
  #sequence = 0
  readonly #readsAll: boolean

  constructor({ cards = [], lots = [], catalog = demoCatalog, readsAll = false }: Setting = {}) {
    this.#readsAll = readsAll
    for (const card of cards) this.cards.set(card.token, card)
    for (const lot of lots) this.lots.set(lot.id, lot)
    this.catalog = catalog
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
    let queue = commands.map((command, index) => ({ command, index, need: {} as Need, holder: null }))
    for (let run = 0; queue.length > 0; run++) {
      if (run > commands.length * 8) throw new Error('commands are deferred for ever')
      const jobs = queue.slice(0, sizes[Math.min(run, sizes.length - 1)])
      const deferred: typeof queue = []
      this.#run(jobs).forEach((outcome, at) => {
        const job = jobs[at] as (typeof jobs)[number]
        if (outcome.kind === 'deferred') deferred.push({ ...job, need: both(job.need, outcome.need) })
        else outcomes[job.index] = outcome
      })
      queue = [...deferred, ...queue.slice(jobs.length)]
    }
    return outcomes
  }

  #run(jobs: readonly { command: Command; need: Need; holder: number | null }[]): Outcome[] {
    const waiting = waitingForEarlier(jobs.map(({ command }) => command))
    const resolved = jobs.map(job => ({ ...job, command: this.#resolve(job.command) }))
    const rows = this.#read(resolved)
    this.batch += 1
    this.at += 7
    const { timeZone, cutOverSeconds } = this.catalog.tenant
    const context: DecisionContext = {
      catalog: this.catalog,
      at: this.at,
      batch: this.batch,
      businessDate: businessDateOf(this.at, timeZone, cutOverSeconds),
      nextSequence: () => ++this.#sequence,
    }
    const outcomes = resolved.map(({ command }, index) =>
      waiting.has(index) ? ({ kind: 'deferred', need: {} } as const) : decide(command, rows, context),
    )
    this.#write(rows)
    return outcomes
  }

  #read(jobs: readonly { command: Command; need: Need; holder: number | null }[]): WorkingSet {
    if (this.#readsAll) return this.#readAll()
    const plan = planReads(jobs, this.catalog)
    const day = dayOfMicros(this.at)
    const decisionsOf = (keys: readonly string[], days: readonly number[]): Decision[] =>
      keys.flatMap((key, index) => {
        const asked = days[index] === today ? day : days[index] === yesterday ? day - 1 : days[index]
        const found = this.decisions.get(key)
        return found !== undefined && found.day === asked ? [found] : []
      })
    const originals = decisionsOf(plan.originalKeys, plan.originalDays).flatMap(({ transaction }) => transaction ?? [])
    const transactions = [...new Set([...plan.ids, ...originals])].flatMap(id => this.transactions.get(id) ?? [])
    const cards = [...plan.tokens].flatMap(token => this.cards.get(token) ?? [])
    const holdersWithLots = new Set([...plan.lotsOf, ...cards.map(({ holder }) => holder)])
    const locked = [...plan.holders, ...cards, ...transactions].map(one => (typeof one === 'number' ? one : one.holder))
    return new WorkingSet({
      decisions: decisionsOf(plan.keys, plan.days),
      transactions,
      cards,
      lots: [...this.lots.values()].filter(({ holder }) => holdersWithLots.has(holder)),
      lockedHolders: locked.filter(holder => holder !== null),
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
      lockedHolders: holders,
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
    for (const bill of rows.remembered) this.bills.set(billKey(bill), bill)
    for (const bill of rows.recalled) {
      if (!this.bills.delete(billKey(bill))) throw new Error('CH001: remembered reversals')
    }
  }
}

const billKey = ({ merchant, reference }: BillReference): string => `${merchant}|${reference}`

const both = (one: Need, other: Need): Need => ({
  transactions: [...(one.transactions ?? []), ...(other.transactions ?? [])],
  lotsOf: [...(one.lotsOf ?? []), ...(other.lotsOf ?? [])],
  watermarksOf: [...(one.watermarksOf ?? []), ...(other.watermarksOf ?? [])],
})
