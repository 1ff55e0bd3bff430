import { divide, freeOf, holdSeconds, lastFirst, least, spendOrder, sumOf, worthOf } from './model-shares.ts'
import type {
  Buy,
  Deal,
  FollowUp,
  ModelAnswer,
  ModelCard,
  ModelCommand,
  ModelLot,
  ModelPhase,
  Moment,
  Open,
  Share,
  Verdict,
  World,
} from './model-types.ts'

/**
 * The oracle: what the contract says of balances, holds and phases, written apart from the core and importing nothing
 * of it. One command at a time, one number for each share of a transaction, no batches, no postings.
 */
export class Model {
  readonly lots: readonly ModelLot[]
  /** What is owed to each merchant, and what settlements have moved on. */
  readonly owed = new Map<string, bigint>()
  cleared = 0n
  readonly #world: World
  readonly #deals = new Map<number, Deal>()
  readonly #answers = new Map<string, { content: string | null; answer: ModelAnswer }>()
  readonly #reversedBills = new Set<string>()
  readonly #settledUpTo = new Map<string, number>()

  constructor(world: World) {
    this.#world = world
    this.lots = world.lots.map(lot => ({ ...lot }))
  }

  /** A settlement of the merchant is closed: it takes what was confirmed up to this batch. */
  close(merchant: string, upToBatch: number): void {
    this.#settledUpTo.set(merchant, upToBatch)
  }

  apply(command: ModelCommand, moment: Moment): Verdict {
    const stored = this.#answers.get(command.key)
    if (stored !== undefined) {
      if (stored.content !== null && stored.content !== command.content) return { kind: 'other_content' }
      // What a reverse has left for its original is no repeat: the original asks for the first time.
      return { kind: 'decided', answer: stored.answer, replayed: stored.content !== null }
    }
    const answer = this.#judge(command, moment)
    // A hold that is not due yet may be asked about again.
    const isPassing = command.kind === 'expire' && answer.phase === 'authorized'
    if (!isPassing) this.#answers.set(command.key, { content: command.content, answer })
    return { kind: 'decided', answer, replayed: false }
  }

  #judge(command: ModelCommand, moment: Moment): ModelAnswer {
    switch (command.kind) {
      case 'authorize':
        return this.#buy(command, moment)
      case 'inquire':
        return this.#inquire(command, moment)
      case 'confirm':
      case 'reverse':
      case 'refund':
        return this.#followUp(command, moment)
      case 'expire':
        return this.#expire(command.id, moment)
      case 'adjust': {
        const lot = this.lots.find(({ id }) => id === command.lot)
        if (lot === undefined) return said('account_unknown')
        if (command.amount === 0n) return said('amount_invalid')
        if (command.amount < 0n && freeOf(lot) - lot.limit < -command.amount) return said('insufficient_funds')
        const isOver = lot.expiresAt !== null && moment.at >= lot.expiresAt
        if (command.amount > 0n && isOver) return said('credit_expired')
        lot.loaded += command.amount
        return said('approved')
      }
      case 'settle':
        this.#owe(command.merchant, -command.net)
        this.cleared += command.net
        return said('approved')
    }
  }

  #owe(merchant: string | null, amount: bigint): void {
    this.owed.set(merchant as string, (this.owed.get(merchant as string) ?? 0n) + amount)
  }

  #phaseOf(deal: Deal): ModelPhase {
    if (deal.phase !== 'confirmed' || deal.confirmedIn === null) return deal.phase
    return deal.confirmedIn <= (this.#settledUpTo.get(deal.merchant ?? '') ?? -1) ? 'settled' : 'confirmed'
  }

  #tell(reason: string, deal: Deal): ModelAnswer {
    return {
      reason,
      transaction: deal.id,
      phase: this.#phaseOf(deal),
      amounts: { ...deal.amounts },
      legs: deal.shares.filter(({ amount }) => amount > 0n).map(({ lot, amount }) => [lot.id, amount] as const),
      balances: null,
    }
  }

  #whereRefused({ merchant, terminal }: Open): string | null {
    if (!this.#world.merchants.includes(merchant)) return 'merchant_unknown'
    const known = this.#world.terminals[terminal]
    if (known === undefined) return 'terminal_unknown'
    return known.merchant === merchant ? null : 'terminal_not_of_merchant'
  }

  #cardRefused(token: string, at: number): string | null {
    const card = this.#world.cards[token]
    if (card === undefined) return 'card_unknown'
    if (card.isBlocked) return 'card_blocked'
    return card.expiresAt !== null && card.expiresAt <= at ? 'card_expired' : null
  }

  #buy(command: Buy, { at, batch, id }: Moment): ModelAnswer {
    const card = this.#world.cards[command.card]
    const terminal = this.#world.terminals[command.terminal]
    const isMerchant = this.#world.merchants.includes(command.merchant)
    const amounts = { requested: command.amount, authorized: 0n, confirmed: 0n, reversed: 0n, refunded: 0n }
    const open = (reason: string, phase: ModelPhase, shares: Share[], expiresAt: number | null): ModelAnswer => {
      const deal: Deal = {
        id,
        isRefund: false,
        holder: card?.holder ?? null,
        card: command.card,
        merchant: isMerchant ? command.merchant : null,
        amounts,
        shares,
        expiresAt,
        reference: command.reference,
        rrn: command.rrn,
        refundOf: null,
        phase,
        confirmedIn: phase === 'confirmed' ? batch : null,
      }
      this.#deals.set(id, deal)
      return this.#tell(reason, deal)
    }
    const bill = `${command.merchant} ${command.reference}`
    let refusal = this.#whereRefused(command)
    if (refusal === null && command.reference !== null && this.#reversedBills.delete(bill)) refusal = 'reversed_before'
    if (refusal === null && !this.#world.currencies.includes(command.currency)) refusal = 'currency_unsupported'
    if (refusal === null && command.amount <= 0n) refusal = 'amount_invalid'
    refusal ??= this.#cardRefused(command.card, at)
    if (refusal !== null || terminal === undefined) return open(refusal ?? 'terminal_unknown', 'refused', [], null)

    const lots = spendOrder(this.lots, card?.holder ?? 0, at)
    if (lots.length === 0) {
      const isLate = this.lots.some(lot => lot.holder === card?.holder && lot.spendable)
      return open(isLate ? 'credit_expired' : 'program_not_allowed', 'refused', [], null)
    }
    const forWelfare = command.eligibleAmount ?? command.amount
    const shares = divide(lots, command.amount, forWelfare, freeOf)
    const total = sumOf(shares)
    const mayBePart = command.partial === 'terminal' ? terminal.partial : command.partial
    if (total < command.amount && (!mayBePart || total === 0n)) {
      const withoutHolds = sumOf(divide(lots, command.amount, forWelfare, lot => freeOf(lot) + lot.held))
      const enough = mayBePart ? 1n : command.amount
      if (withoutHolds >= enough) return open('insufficient_funds_held', 'refused', [], null)
      const ofAnyGoods = sumOf(divide(lots, command.amount, command.amount, freeOf))
      const reason = ofAnyGoods >= enough ? 'goods_not_eligible' : 'insufficient_funds'
      return open(reason, 'refused', [], null)
    }
    const isPurchase = command.purpose === 'purchase'
    const isDone = command.capture === 'terminal' ? terminal.isImplicit && isPurchase : command.capture
    amounts.authorized = total
    if (isDone) amounts.confirmed = total
    for (const { lot, amount } of shares) {
      if (isDone) lot.spent += amount
      else lot.held += amount
    }
    if (isDone) this.#owe(command.merchant, total)
    const reason = total < command.amount ? 'approved_partially' : 'approved'
    const until = at + 1_000_000 * holdSeconds(command, shares, terminal)
    return open(reason, isDone ? 'confirmed' : 'authorized', shares, isDone ? null : until)
  }

  #inquire(command: Open, { at }: Moment): ModelAnswer {
    const isForeign = !this.#world.currencies.includes(command.currency)
    const place = this.#whereRefused(command) ?? (isForeign ? 'currency_unsupported' : null)
    const refusal = place ?? this.#cardRefused(command.card, at)
    if (refusal !== null) return said(refusal)
    const { holder } = this.#world.cards[command.card] as ModelCard
    const lots = this.lots.filter(lot => lot.holder === holder && lot.spendable)
    const sum = (some: ModelLot[], of: (lot: ModelLot) => bigint): bigint =>
      some.reduce((total, lot) => total + of(lot), 0n)
    const balances = [...new Set(lots.map(({ program }) => program))].map(program => {
      const some = lots.filter(lot => lot.program === program)
      const spendable = some.filter(({ expiresAt }) => expiresAt === null || at < expiresAt)
      return {
        program,
        balance: sum(some, lot => lot.loaded - lot.spent),
        held: sum(some, lot => lot.held),
        spendable: sum(spendable, freeOf),
      }
    })
    return { ...said('approved'), balances }
  }

  #expire(id: number, { at }: Moment): ModelAnswer {
    const deal = this.#deals.get(id)
    if (deal === undefined) return said('original_unknown')
    if (deal.phase !== 'authorized' || deal.expiresAt === null || at <= deal.expiresAt) {
      return this.#tell('not_expirable', deal)
    }
    for (const share of deal.shares) {
      share.lot.held -= share.amount
      share.amount = 0n
    }
    deal.phase = 'expired'
    return this.#tell('approved', deal)
  }

  #followUp(command: FollowUp, moment: Moment): ModelAnswer {
    const found = this.#find(command, moment)
    if (found === 'unseen') return command.kind === 'reverse' ? this.#remember(command) : said('original_unknown')
    if (typeof found === 'string') return said(found)
    if (command.kind === 'confirm') return this.#tell(this.#confirm(command, found, moment), found)
    if (command.kind === 'reverse') return this.#reverse(command, found, moment)
    return this.#refund(command, found, moment)
  }

  /** The transaction that is meant, or why there is none: `unseen` if nothing by that name was ever asked. */
  #find(command: FollowUp, { rrnOf }: Moment): Deal | string {
    const { original } = command
    let deals: Deal[] = []
    if (original.by === 'ambiguity') return 'original_ambiguous'
    if (original.by === 'id') deals = [...this.#deals.values()].filter(({ id }) => id === original.id)
    if (original.by === 'key') {
      const asked = this.#answers.get(original.key)?.answer
      if (asked !== undefined && asked.transaction === null && asked.reason !== 'reversed_before') {
        return 'original_unknown'
      }
      deals = [...this.#deals.values()].filter(({ id }) => id === asked?.transaction)
    }
    // The last byte of a key is the merchant's: it is behind the time, so that a range has those of others too.
    if (original.by === 'keyRange') {
      const ids = [...this.#answers]
        .filter(([key]) => original.from <= key && key <= original.to && key.slice(-2) === original.from.slice(-2))
        .map(([, { answer }]) => answer.transaction)
      deals = [...this.#deals.values()].filter(({ id }) => ids.includes(id))
    }
    if (original.by === 'rrn') {
      const isMeant = ({ merchant, rrn, id }: Deal): boolean =>
        merchant === original.merchant && (rrn ?? rrnOf(id)) === original.rrn
      deals = [...this.#deals.values()].filter(isMeant)
    }
    if (original.by === 'reference') {
      deals = [...this.#deals.values()].filter(
        ({ merchant, reference, isRefund }) =>
          merchant === original.merchant && reference === original.reference && !isRefund,
      )
      const live = deals.filter(({ phase }) => phase === 'authorized' || phase === 'confirmed')
      const over = deals.filter(({ phase }) => phase !== 'refused').sort((one, other) => other.id - one.id)
      deals = live.length > 0 ? live : over.slice(0, 1)
    }
    const [deal] = deals
    if (deal === undefined) return 'unseen'
    if (deals.length > 1) return 'original_ambiguous'
    if (command.merchants !== '*' && !command.merchants.includes(deal.merchant ?? '')) {
      return command.channel === 'api' ? 'original_unknown' : 'original_mismatch'
    }
    if (command.card !== null && command.card !== deal.card) return 'original_mismatch'
    const { currency } = command
    return currency === null || this.#world.currencies.includes(currency) ? deal : 'currency_unsupported'
  }

  #remember({ original }: FollowUp): ModelAnswer {
    const isBill = original.by === 'reference' && this.#world.merchants.includes(original.merchant)
    if (isBill) this.#reversedBills.add(`${original.merchant} ${original.reference}`)
    else if (original.by !== 'key') return said('original_unknown')
    if (original.by === 'key' && !this.#answers.has(original.key)) {
      this.#answers.set(original.key, { content: null, answer: said('reversed_before') })
    }
    return { ...said('approved'), phase: 'reversed' }
  }

  #confirm(command: FollowUp & { kind: 'confirm' }, deal: Deal, { at, batch }: Moment): string {
    const amount = command.amount ?? worthOf(deal)
    if (deal.phase === 'expired') return 'confirm_too_late'
    if (deal.phase === 'confirmed' && !deal.isRefund) {
      const isSame = command.amount === null || command.amount === deal.amounts.confirmed
      return isSame && command.channel === 'terminal' ? 'approved' : 'not_confirmable'
    }
    if (deal.phase !== 'authorized') return 'not_confirmable'
    if (deal.expiresAt !== null && at > deal.expiresAt) return 'confirm_too_late'
    if (amount <= 0n) return 'amount_invalid'
    if (amount > worthOf(deal)) return 'amount_beyond'
    let left = amount
    for (const share of deal.shares) {
      const taken = least(share.amount, left)
      left -= taken
      share.lot.held -= share.amount
      share.lot.spent += taken
      share.amount = taken
    }
    this.#owe(deal.merchant, amount)
    deal.amounts.confirmed = amount
    deal.phase = 'confirmed'
    deal.confirmedIn = batch
    return 'approved'
  }

  #reverse(command: FollowUp & { kind: 'reverse' }, deal: Deal, moment: Moment): ModelAnswer {
    const worth = worthOf(deal)
    const phase = this.#phaseOf(deal)
    const isTerminal = command.channel === 'terminal'
    const { requested, authorized, confirmed } = deal.amounts
    const named = command.originalAmount
    if (named !== null && named !== requested && named !== authorized && named !== confirmed) {
      return this.#tell('amount_mismatch', deal)
    }
    const { extent } = command
    const off = extent.by === 'all' ? worth : extent.by === 'off' ? extent.amount : worth - extent.amount
    const isReached = off <= 0n && (worth === 0n || (extent.by === 'to' && off === 0n))
    if (isTerminal && isReached) return this.#tell('approved', deal)
    const isLate = phase === 'settled' && isTerminal && !deal.isRefund
    if (phase !== 'authorized' && phase !== 'confirmed' && !isLate) return this.#tell('not_reversible', deal)
    if (worth === 0n) return this.#tell('not_reversible', deal)
    if (extent.by === 'to' && off < 0n) return this.#tell('amount_beyond', deal)
    if (off <= 0n) return this.#tell('amount_invalid', deal)
    if (off > worth) return this.#tell('amount_beyond', deal)
    if (isLate) return this.#giveBack(deal, off, null, moment)
    if (deal.isRefund) return this.#takeBack(deal, off)
    for (const [share, part] of lastFirst(deal.shares, off)) {
      if (deal.phase === 'authorized') share.lot.held -= part
      else share.lot.spent -= part
      share.amount -= part
    }
    if (deal.phase === 'confirmed') this.#owe(deal.merchant, -off)
    deal.amounts.reversed += off
    if (off === worth) deal.phase = 'reversed'
    return this.#tell('approved', deal)
  }

  #takeBack(refund: Deal, off: bigint): ModelAnswer {
    const parts = lastFirst(refund.shares, off)
    if (parts.some(([{ lot }, part]) => freeOf(lot) < part)) return this.#tell('insufficient_funds', refund)
    const purchase = refund.refundOf as Deal
    for (const [share, part] of parts) {
      share.lot.spent += part
      share.amount -= part
      const whence = purchase.shares.find(({ lot }) => lot === share.lot) as Share
      whence.amount += part
    }
    this.#owe(refund.merchant, off)
    refund.amounts.reversed += off
    purchase.amounts.refunded -= off
    if (worthOf(refund) === 0n) refund.phase = 'reversed'
    // It is in force again, whatever else of it was undone.
    if (purchase.phase === 'reversed') purchase.phase = 'confirmed'
    return this.#tell('approved', refund)
  }

  #refund(command: FollowUp & { kind: 'refund' }, deal: Deal, moment: Moment): ModelAnswer {
    const { terminal } = command
    const known = terminal === null ? null : this.#world.terminals[terminal]
    if (known === undefined) return this.#tell('terminal_unknown', deal)
    if (known !== null && known.merchant !== deal.merchant) return this.#tell('terminal_not_of_merchant', deal)
    const worth = worthOf(deal)
    if (deal.isRefund || deal.phase !== 'confirmed' || worth === 0n) return this.#tell('not_refundable', deal)
    const amount = command.amount ?? worth
    if (amount <= 0n) return this.#tell('amount_invalid', deal)
    if (amount > worth) return this.#tell('amount_beyond', deal)
    return this.#giveBack(deal, amount, command.rrn, moment)
  }

  #giveBack(deal: Deal, amount: bigint, rrn: string | null, { batch, id }: Moment): ModelAnswer {
    const shares: Share[] = []
    for (const [share, part] of lastFirst(deal.shares, amount)) {
      share.lot.spent -= part
      share.amount -= part
      if (part > 0n) shares.unshift({ lot: share.lot, amount: part })
    }
    this.#owe(deal.merchant, -amount)
    deal.amounts.refunded += amount
    const amounts = { requested: amount, authorized: amount, confirmed: amount, reversed: 0n, refunded: 0n }
    const whole = { ...deal, id, isRefund: true, refundOf: deal, amounts, shares, rrn, expiresAt: null }
    const refund: Deal = { ...whole, phase: 'confirmed', confirmedIn: batch }
    this.#deals.set(id, refund)
    return this.#tell('approved', refund)
  }
}

const said = (reason: string): ModelAnswer => ({
  reason,
  transaction: null,
  phase: null,
  amounts: null,
  legs: [],
  balances: null,
})
