import type { CardToken, Key, Note } from './commands.ts'
import type { Micros, TransactionId } from './ids.ts'
import { type AccountId, afterPosting, isLot, type Lot, type Posting } from './ledger.ts'
import type { Card, Decision, Transaction } from './transactions.ts'
import type { Usage } from './usage.ts'

/** The rows a batch has read, after its locks. */
export interface Rows {
  readonly decisions: readonly Decision[]
  readonly transactions: readonly Transaction[]
  /** Holds as they were stored some time ago: see `rememberedHold`. */
  readonly rememberedHolds?: readonly Transaction[]
  readonly cards: readonly Card[]
  readonly lots: readonly Lot[]
  /** Holders whose row this batch has locked, each with what its limits have counted; null: that was not read. */
  readonly lockedHolders: Iterable<readonly [holder: number, usage: Usage | null]>
  /** Holders that this batch was to lock, and that are not there. Without: that is not known. */
  readonly missingHolders?: readonly number[]
  /** Organisations whose counters this batch has locked. */
  readonly organisations: readonly OrganisationCounters[]
  /** Holders of whom every lot was read. */
  readonly holdersWithLots: Iterable<number>
  /**
   * Merchant id and the last batch that its settlements have taken; -1: none yet. Merchants not listed were not read.
   */
  readonly settledUpTo: readonly (readonly [merchant: number, batch: number])[]
  /** Bills that were reversed before any request for them had arrived. */
  readonly rememberedReversals: readonly BillReference[]
}

export interface BillReference {
  readonly merchant: number
  readonly reference: string
}

/** What one lot is to be changed by: the sum of all postings of the batch that touch it. */
export interface LotDelta {
  readonly holder: number
  readonly lot: AccountId
  debitsPending: bigint
  debitsPosted: bigint
  creditsPending: bigint
  creditsPosted: bigint
}

/** What an organisation has paid in less what it has loaded, and what the limits on its credit have counted. */
export interface OrganisationCounters {
  readonly id: number
  readonly balance: bigint
  readonly usage: Usage
}

/** Counters as they are to be. */
export interface UsageChange {
  readonly holder: number
  readonly usage: Usage
}

export interface OrganisationChange {
  readonly read: OrganisationCounters
  readonly after: OrganisationCounters
}

/** What is to be changed of a lot beside its counters. */
export interface LotChange {
  readonly holder: number
  readonly lot: AccountId
  readonly expiresAt: Micros | null
  readonly sweepDue: Micros | null
}

/** A change of a lot that is no purchase, by the decision with this index. */
export interface Movement {
  readonly index: number
  readonly kind: Decision['kind']
  readonly lot: AccountId
  readonly holder: number
  /** Below zero: taken off. */
  readonly amount: bigint
  /** What is posted on the lot after it. */
  readonly balance: bigint
  readonly note: Note
}

/** What an organisation has paid in, by the decision with this index. */
export interface OrganisationMovement {
  readonly index: number
  readonly organisation: number
  /** Below zero: paid back to it. */
  readonly amount: bigint
  /** What it has left after it. */
  readonly balance: bigint
  readonly note: Note
}

/** The wrong PINs of a card, as they were read and as they are to be. */
export interface PinTries {
  readonly token: CardToken
  readonly read: number
  readonly tries: number
}

const billKey = ({ merchant, reference }: BillReference): string => `${merchant}|${reference}`

/**
 * The rows of one batch while it is being decided. Every command sees the effects of those before it, and the effects
 * are gathered for one write.
 */
export class WorkingSet {
  readonly newDecisions: Decision[] = []
  readonly lotDeltas = new Map<AccountId, LotDelta>()
  readonly remembered: BillReference[] = []
  readonly recalled: BillReference[] = []
  readonly movements: Movement[] = []
  readonly organisationMovements: OrganisationMovement[] = []
  readonly #pinTries = new Map<CardToken, PinTries>()

  readonly #decisions = new Map<Key, Decision>()
  readonly #transactions = new Map<TransactionId, Transaction>()
  readonly #rememberedHolds: ReadonlyMap<TransactionId, Transaction>
  readonly #cards = new Map<CardToken, Card>()
  readonly #lots = new Map<AccountId, Lot>()
  readonly #lotsByHolder = new Map<number, AccountId[]>()
  readonly #newLots = new Set<AccountId>()
  readonly #changedLots = new Map<AccountId, LotChange>()
  readonly #usage: Map<number, Usage | null>
  readonly #missingHolders: ReadonlySet<number>
  readonly #changedUsage = new Map<number, UsageChange>()
  readonly #organisations: Map<number, OrganisationCounters>
  readonly #changedOrganisations = new Map<number, OrganisationCounters>()
  readonly #settledUpTo: Map<number, number>
  readonly #bills: Set<string>
  readonly #opened = new Set<TransactionId>()
  readonly #changed = new Map<TransactionId, Transaction>()

  constructor(rows: Rows) {
    for (const decision of rows.decisions) this.#decisions.set(decision.key, decision)
    for (const transaction of rows.transactions) this.#transactions.set(transaction.id, transaction)
    this.#rememberedHolds = new Map(rows.rememberedHolds?.map(hold => [hold.id, hold]))
    for (const card of rows.cards) this.#cards.set(card.token, card)
    for (const holder of rows.holdersWithLots) this.#lotsByHolder.set(holder, [])
    for (const lot of rows.lots) {
      // Those of a holder come once for each card.
      if (this.#lots.has(lot.id)) continue
      this.#lots.set(lot.id, lot)
      this.#lotsByHolder.get(lot.holder)?.push(lot.id)
    }
    this.#usage = new Map(rows.lockedHolders)
    this.#missingHolders = new Set(rows.missingHolders)
    this.#organisations = new Map(rows.organisations.map(one => [one.id, one]))
    this.#settledUpTo = new Map(rows.settledUpTo)
    this.#bills = new Set(rows.rememberedReversals.map(billKey))
  }

  decision(key: Key): Decision | undefined {
    return this.#decisions.get(key)
  }

  transaction(id: TransactionId): Transaction | undefined {
    return this.#transactions.get(id)
  }

  /**
   * A hold as it was stored some time ago. It may be changed, since that fails if it is not the same any more. A
   * confirm may be refused because of what never changes of it, its merchant and its card: nothing may be refused or
   * told because of the rest.
   */
  rememberedHold(id: TransactionId): Transaction | undefined {
    return this.#rememberedHolds.get(id)
  }

  card(token: CardToken): Card | undefined {
    return this.#cards.get(token)
  }

  /** Changes the wrong PINs of a card; its holder is locked. */
  setPinTries(card: Card, tries: number): void {
    const { token } = card
    const read = this.#pinTries.get(token)?.read ?? card.pinTries
    this.#pinTries.set(token, { token, read, tries })
    this.#cards.set(token, { ...card, pinTries: tries })
  }

  get changedPinTries(): PinTries[] {
    return [...this.#pinTries.values()].filter(({ read, tries }) => read !== tries)
  }

  isLocked(holder: number): boolean {
    return this.#usage.has(holder)
  }

  /** Whether there is no such holder. */
  isMissing(holder: number): boolean {
    return this.#missingHolders.has(holder)
  }

  /** What the limits of a locked holder have counted. */
  usageOf(holder: number): Usage {
    const usage = this.#usage.get(holder) ?? null
    if (usage === null) throw new Error(`what the limits of holder ${holder} have counted was not read`)
    return usage
  }

  /** Whether a holder is locked, and that was read. */
  knowsUsage(holder: number): boolean {
    return (this.#usage.get(holder) ?? null) !== null
  }

  setUsage(holder: number, usage: Usage): void {
    this.#changedUsage.set(holder, { holder, usage })
    this.#usage.set(holder, usage)
  }

  get changedUsage(): UsageChange[] {
    return [...this.#changedUsage.values()]
  }

  /** The counters of an organisation; undefined if this batch has not locked them. */
  organisation(id: number): OrganisationCounters | undefined {
    return this.#organisations.get(id)
  }

  setOrganisation(after: OrganisationCounters): void {
    const read = this.#organisations.get(after.id)
    if (read === undefined) throw new Error(`organisation ${after.id} is not locked`)
    if (!this.#changedOrganisations.has(after.id)) this.#changedOrganisations.set(after.id, read)
    this.#organisations.set(after.id, after)
  }

  get changedOrganisations(): OrganisationChange[] {
    return [...this.#changedOrganisations].map(([id, read]) => ({
      read,
      after: this.#organisations.get(id) as OrganisationCounters,
    }))
  }

  /** Every lot of a holder; undefined if this batch has not read them. */
  lotsOf(holder: number): Lot[] | undefined {
    return this.#lotsByHolder.get(holder)?.map(id => this.#lots.get(id) as Lot)
  }

  /** A new lot: empty until something is posted on it, and frozen if the others of the account are. */
  openLot(lot: Lot): void {
    const isFrozen = (this.lotsOf(lot.holder) ?? []).some(one => one.program === lot.program && one.isFrozen)
    this.#newLots.add(lot.id)
    this.#lots.set(lot.id, { ...lot, isFrozen })
    this.#lotsByHolder.get(lot.holder)?.push(lot.id)
  }

  /** New lots as they are after everything that was posted on them. */
  get newLots(): Lot[] {
    return [...this.#newLots].map(id => this.#lots.get(id) as Lot)
  }

  /** Changes when a lot that was read expires, and when it is swept. */
  changeLot(lot: Lot, { expiresAt, sweepDue }: Pick<Lot, 'expiresAt' | 'sweepDue'>): void {
    const now = this.#lots.get(lot.id) as Lot
    this.#lots.set(lot.id, { ...now, expiresAt, sweepDue })
    if (this.#newLots.has(lot.id)) return
    this.#changedLots.set(lot.id, { holder: lot.holder, lot: lot.id, expiresAt, sweepDue })
  }

  get changedLots(): LotChange[] {
    return [...this.#changedLots.values()]
  }

  /** Keeps the reason of a change that the newest decision has just posted. */
  move(lot: AccountId, amount: bigint, note: Note): void {
    const { holder, creditsPosted, debitsPosted } = this.#lots.get(lot) as Lot
    const index = this.newDecisions.length - 1
    const { kind } = this.newDecisions[index] as Decision
    this.movements.push({ index, kind, lot, holder, amount, balance: creditsPosted - debitsPosted, note })
  }

  /** Keeps the reason of what the newest decision has changed of an organisation's balance. */
  moveOrganisation(organisation: number, amount: bigint, note: Note): void {
    const { balance } = this.#organisations.get(organisation) as OrganisationCounters
    const index = this.newDecisions.length - 1
    this.organisationMovements.push({ index, organisation, amount, balance, note })
  }

  knowsWatermark(merchant: number): boolean {
    return this.#settledUpTo.has(merchant)
  }

  isSettled(transaction: Transaction): boolean {
    if (transaction.phase !== 'confirmed' || transaction.merchant === null || transaction.confirmedIn === null)
      return false
    return transaction.confirmedIn <= (this.#settledUpTo.get(transaction.merchant) ?? -1)
  }

  /** Takes the memory of a reverse that came before its authorize, if there is one. */
  recall(bill: BillReference): boolean {
    if (!this.#bills.delete(billKey(bill))) return false
    this.recalled.push(bill)
    return true
  }

  remember(bill: BillReference): void {
    if (this.#bills.has(billKey(bill))) return
    this.#bills.add(billKey(bill))
    this.remembered.push(bill)
  }

  open(transaction: Transaction): void {
    this.#opened.add(transaction.id)
    this.#transactions.set(transaction.id, transaction)
  }

  change(before: Transaction, after: Transaction): void {
    if (!this.#opened.has(before.id) && !this.#changed.has(before.id)) this.#changed.set(before.id, before)
    this.#transactions.set(after.id, { ...after, version: before.version + 1 })
  }

  /** Stores the answer, and applies its postings. `holder`: of the lots that were not read. */
  book(decision: Decision, holder: number | null): void {
    this.#decisions.set(decision.key, decision)
    this.newDecisions.push(decision)
    for (const posting of decision.postings) {
      if (posting.pending === 0n && posting.posted === 0n) continue
      if (isLot(posting.debit)) this.#post(posting, posting.debit, holder)
      if (isLot(posting.credit)) this.#post(posting, posting.credit, holder)
    }
  }

  #post(posting: Posting, id: AccountId, holderOfUnread: number | null): void {
    const lot = this.#lots.get(id)
    if (lot !== undefined) this.#lots.set(id, afterPosting(lot, posting))
    if (this.#newLots.has(id)) return
    const holder = lot?.holder ?? holderOfUnread
    if (holder === null) throw new Error(`a posting on lot ${id} without its holder`)
    let delta = this.lotDeltas.get(id)
    if (delta === undefined) {
      delta = { holder, lot: id, debitsPending: 0n, debitsPosted: 0n, creditsPending: 0n, creditsPosted: 0n }
      this.lotDeltas.set(id, delta)
    }
    if (posting.debit === id) {
      delta.debitsPending += posting.pending
      delta.debitsPosted += posting.posted
    } else {
      delta.creditsPending += posting.pending
      delta.creditsPosted += posting.posted
    }
  }

  get openedTransactions(): Transaction[] {
    return [...this.#opened].map(id => this.#transactions.get(id) as Transaction)
  }

  /** Each changed transaction as it was read and as it is now. */
  get changedTransactions(): { before: Transaction; after: Transaction }[] {
    return [...this.#changed.values()].map(before => ({
      before,
      after: this.#transactions.get(before.id) as Transaction,
    }))
  }
}
