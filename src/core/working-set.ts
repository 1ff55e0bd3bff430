import type { CardToken, Key } from './commands.ts'
import type { TransactionId } from './ids.ts'
import { type AccountId, afterPosting, isLot, type Lot, type Posting } from './ledger.ts'
import type { Card, Decision, Transaction } from './transactions.ts'

/** The rows a batch has read, after its locks. */
export interface Rows {
  readonly decisions: readonly Decision[]
  readonly transactions: readonly Transaction[]
  readonly cards: readonly Card[]
  readonly lots: readonly Lot[]
  /** Holders whose row this batch has locked. */
  readonly lockedHolders: readonly number[]
  /** Holders of whom every lot was read. */
  readonly holdersWithLots: readonly number[]
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
  readonly #pinTries = new Map<CardToken, PinTries>()

  readonly #decisions = new Map<Key, Decision>()
  readonly #transactions = new Map<TransactionId, Transaction>()
  readonly #cards = new Map<CardToken, Card>()
  readonly #lots = new Map<AccountId, Lot>()
  readonly #lotsByHolder = new Map<number, AccountId[]>()
  readonly #locked: Set<number>
  readonly #settledUpTo: Map<number, number>
  readonly #bills: Set<string>
  readonly #opened = new Set<TransactionId>()
  readonly #changed = new Map<TransactionId, Transaction>()

  constructor(rows: Rows) {
    for (const decision of rows.decisions) this.#decisions.set(decision.key, decision)
    for (const transaction of rows.transactions) this.#transactions.set(transaction.id, transaction)
    for (const card of rows.cards) this.#cards.set(card.token, card)
    for (const holder of rows.holdersWithLots) this.#lotsByHolder.set(holder, [])
    for (const lot of rows.lots) {
      this.#lots.set(lot.id, lot)
      this.#lotsByHolder.get(lot.holder)?.push(lot.id)
    }
    this.#locked = new Set(rows.lockedHolders)
    this.#settledUpTo = new Map(rows.settledUpTo)
    this.#bills = new Set(rows.rememberedReversals.map(billKey))
  }

  decision(key: Key): Decision | undefined {
    return this.#decisions.get(key)
  }

  transaction(id: TransactionId): Transaction | undefined {
    return this.#transactions.get(id)
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
    return this.#locked.has(holder)
  }

  /** Every lot of a holder; undefined if this batch has not read them. */
  lotsOf(holder: number): Lot[] | undefined {
    return this.#lotsByHolder.get(holder)?.map(id => this.#lots.get(id) as Lot)
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

  /** Stores the answer, and applies its postings to the lots of `holder`. */
  book(decision: Decision, holder: number | null): void {
    this.#decisions.set(decision.key, decision)
    this.newDecisions.push(decision)
    for (const posting of decision.postings) {
      if (posting.pending === 0n && posting.posted === 0n) continue
      if (isLot(posting.debit)) this.#post(posting, posting.debit, holder)
      if (isLot(posting.credit)) this.#post(posting, posting.credit, holder)
    }
  }

  #post(posting: Posting, id: AccountId, holder: number | null): void {
    if (holder === null) throw new Error(`a posting on lot ${id} without its holder`)
    const lot = this.#lots.get(id)
    if (lot !== undefined) this.#lots.set(id, afterPosting(lot, posting))
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
