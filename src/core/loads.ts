import type { Funder, Program } from './catalog.ts'
import type { Adjust, Clawback, Deposit, Load, Note } from './commands.ts'
import { answer, type DecisionContext, deferred, type Outcome } from './decision.ts'
import type { Micros } from './ids.ts'
import { type AccountId, availableOf, isExpired, type Lot, transfer } from './ledger.ts'
import type { LocalTime } from './local-time.ts'
import { expiryOfLoad } from './lot-expiry.ts'
import { accountMax, filledMax, largeLoadMin, lesser, sideMax } from './money.ts'
import type { MoveReason } from './move-reasons.ts'
import { termsAt } from './terms.ts'
import type { OrganisationCounters, WorkingSet } from './working-set.ts'

/** Puts value on a new lot, as far as the contract of its funder allows. */
export function decideLoad(command: Load, rows: WorkingSet, context: DecisionContext): Outcome {
  const { catalog, local } = context
  const { holder, amount } = command
  const refuse = (reason: MoveReason<'load'>): Outcome => answer(command, rows, context, { reason, transaction: null })
  const program = catalog.programsById.get(command.program)
  if (program === undefined || program.isClosed) return refuse('program_closed')
  const funder = catalog.fundersById.get(command.funder)
  if (funder === undefined) return refuse('organisation_unknown')
  const contractRefusal = refusalOfContract(funder, local)
  if (contractRefusal !== null) return refuse(contractRefusal)
  if (amount <= 0n) return refuse('amount_invalid')
  const expiresAt =
    command.expiresAt === 'terms' ? expiryOfLoad(termsAt(program, local.at), local, catalog.tenant) : command.expiresAt
  if (expiresAt !== null && expiresAt <= local.at) return refuse('credit_expired')
  const counters = rows.organisation(funder.id)
  if (rows.isMissing(holder)) return refuse('account_unknown')
  if (!rows.isLocked(holder) || counters === undefined) return deferred({ organisations: [funder.id] })
  const fundingRefusal = refusalOfFunding(amount, funder, counters)
  if (fundingRefusal !== null) return refuse(fundingRefusal)
  if (isTooMuch(amount, program.id, rows.lotsOf(holder) ?? [])) return refuse('amount_too_large')
  const id = context.nextLot()
  if (id === undefined) return deferred({ lots: 1 })

  rows.openLot(newLot(id, holder, program, funder.id, expiresAt))
  const postings = [transfer(funder.account, id, amount, 0n)]
  rows.setOrganisation({ ...counters, balance: counters.balance - amount })
  const outcome = answer(command, rows, context, { reason: 'approved', transaction: null, postings })
  rows.move(id, amount, command.note)
  return outcome
}

/** Why nothing may be loaded from an organisation today; null if it may. */
function refusalOfContract({ isSuspended, contractFrom, contractUntil }: Funder, { day }: LocalTime) {
  if (isSuspended) return 'organisation_suspended'
  const isInForce = (contractFrom === null || day >= contractFrom) && (contractUntil === null || day <= contractUntil)
  return isInForce ? null : 'contract_not_in_force'
}

/** Why so much may not be loaded under the contract of an organisation; null if it may. */
function refusalOfFunding(amount: bigint, { contract, creditLimit }: Funder, { balance }: OrganisationCounters) {
  if (contract === 'unlimited') return amount > balance + accountMax ? 'amount_too_large' : null
  const funds = contract === 'credit_line' ? balance + creditLimit : balance
  return amount > funds ? 'funding_insufficient' : null
}

/** Whether the lots of one program would have more together than they may, with so much more. */
export const isTooMuch = (amount: bigint, program: number, lots: readonly Lot[]): boolean =>
  lots.reduce((sum, lot) => (lot.program === program ? sum + lot.creditsPosted - lot.debitsPosted : sum), amount) >
  (amount < largeLoadMin ? accountMax : filledMax)

export const newLot = (
  id: AccountId,
  holder: number,
  { id: program, asset }: Program,
  funder: number,
  expiresAt: Micros | null,
): Lot => ({
  id,
  holder,
  program,
  funder,
  asset,
  debitsPending: 0n,
  debitsPosted: 0n,
  creditsPending: 0n,
  creditsPosted: 0n,
  limit: 0n,
  expiresAt,
  sweepDue: expiresAt,
  isFrozen: false,
})

/**
 * Takes unspent value back to those who funded it, from the lots that expire last. Never what is held or spent, nor
 * what has expired: that is breakage, whether or not it has been swept.
 */
export function decideClawback(command: Clawback, rows: WorkingSet, context: DecisionContext): Outcome {
  const { holder, program, funder } = command
  const refuse = (reason: MoveReason<'clawback'>): Outcome =>
    answer(command, rows, context, { reason, transaction: null })
  const lots = rows.lotsOf(holder)
  if (rows.isMissing(holder)) return refuse('account_unknown')
  if (!rows.isLocked(holder) || lots === undefined) return deferred({ lotsOf: [holder] })
  const own = lots.filter(lot => lot.program === program && (funder === null || lot.funder === funder))
  const taken = takeUnspent(
    own.filter(lot => !isExpired(lot, context.at)),
    command.amount,
  )
  if (typeof taken === 'string') return refuse(taken)
  const funders = [...new Set(taken.map(({ lot }) => lot.funder))]
  const counters = funders.map(id => rows.organisation(id)).filter(found => found !== undefined)
  if (counters.length < funders.length) return deferred({ organisations: funders })
  const backTo = (id: number): bigint =>
    taken.reduce((sum, one) => (one.lot.funder === id ? sum + one.amount : sum), 0n)
  if (counters.some(({ id, balance }) => balance + backTo(id) > accountMax)) return refuse('amount_too_large')

  const postings = taken.map(({ lot, amount }) => transfer(lot.id, accountOf(lot.funder, context), amount, 0n))
  for (const { lot, amount } of taken) changeBalance(lot.funder, amount, rows)
  const outcome = answer(command, rows, context, { reason: 'approved', transaction: null, postings })
  for (const { lot, amount } of taken) rows.move(lot.id, -amount, command.note)
  return outcome
}

/** What is taken from each lot, those that expire last first; or why it cannot be. `amount` null: all there is. */
export function takeUnspent(
  lots: readonly Lot[],
  amount: bigint | null,
): readonly { readonly lot: Lot; readonly amount: bigint }[] | 'amount_invalid' | 'insufficient_funds' {
  if (amount !== null && amount <= 0n) return 'amount_invalid'
  const inOrder = lots.toSorted((one, other) => {
    const expiry = one.expiresAt ?? Number.POSITIVE_INFINITY
    const otherExpiry = other.expiresAt ?? Number.POSITIVE_INFINITY
    return expiry === otherExpiry ? other.id - one.id : expiry < otherExpiry ? 1 : -1
  })
  const taken: { lot: Lot; amount: bigint }[] = []
  let left = amount
  for (const lot of inOrder) {
    // A credit line is no value that somebody has loaded.
    const unspent = availableOf(lot) - lot.limit
    const part = left === null ? unspent : lesser(unspent, left)
    if (part <= 0n) continue
    taken.push({ lot, amount: part })
    if (left !== null) left -= part
  }
  if (taken.length === 0 || (left !== null && left > 0n)) return 'insufficient_funds'
  return taken
}

/** Corrects one lot, from or to the account of its funder. */
export function decideAdjust(command: Adjust, rows: WorkingSet, context: DecisionContext): Outcome {
  const { holder, amount } = command
  const refuse = (reason: MoveReason<'adjust'>): Outcome =>
    answer(command, rows, context, { reason, transaction: null })
  const lots = rows.lotsOf(holder)
  if (rows.isMissing(holder)) return refuse('account_unknown')
  if (!rows.isLocked(holder) || lots === undefined) return deferred({ lotsOf: [holder] })
  const lot = lots.find(({ id }) => id === command.lot)
  if (lot === undefined) return refuse('account_unknown')
  if (amount === 0n) return refuse('amount_invalid')
  const isFull = lot.creditsPosted + amount > sideMax || lot.debitsPosted - amount > sideMax
  if (isFull || (amount > 0n && isTooMuch(amount, lot.program, lots))) return refuse('amount_too_large')
  if (amount < 0n && availableOf(lot) - lot.limit < -amount) return refuse('insufficient_funds')
  // It would have to be swept at once.
  if (amount > 0n && isExpired(lot, context.at)) return refuse('credit_expired')
  const funder = context.catalog.fundersById.get(lot.funder)
  const counters = rows.organisation(lot.funder)
  if (counters === undefined) return deferred({ organisations: [lot.funder] })
  // What goes back to the funder is no use of its contract, however much of that is used.
  const fundingRefusal = amount < 0n || funder === undefined ? null : refusalOfFunding(amount, funder, counters)
  if (fundingRefusal !== null) return refuse(fundingRefusal)
  if (counters.balance - amount > accountMax) return refuse('amount_too_large')

  const account = accountOf(lot.funder, context)
  const postings = [amount > 0n ? transfer(account, lot.id, amount, 0n) : transfer(lot.id, account, -amount, 0n)]
  changeBalance(lot.funder, -amount, rows)
  const outcome = answer(command, rows, context, { reason: 'approved', transaction: null, postings })
  rows.move(lot.id, amount, command.note)
  return outcome
}

/** Records what an organisation has paid in, or what it was paid back: never more than it has left. */
export function decideDeposit(command: Deposit, rows: WorkingSet, context: DecisionContext): Outcome {
  const { organisation: id, amount } = command
  const refuse = (reason: MoveReason<'deposit'>): Outcome =>
    answer(command, rows, context, { reason, transaction: null })
  const funder = context.catalog.fundersById.get(id)
  if (funder === undefined) return refuse('organisation_unknown')
  if (amount === 0n) return refuse('amount_invalid')
  const counters = rows.organisation(id)
  if (counters === undefined) return deferred({ organisations: [id] })
  if (amount < 0n && counters.balance < -amount) return refuse('funding_insufficient')
  if (counters.balance + amount > accountMax) return refuse('amount_too_large')

  const { clearingAccount } = context.catalog.tenant
  const postings = [
    amount > 0n
      ? transfer(clearingAccount, funder.account, amount, 0n)
      : transfer(funder.account, clearingAccount, -amount, 0n),
  ]
  changeBalance(id, amount, rows)
  const outcome = answer(command, rows, context, { reason: 'approved', transaction: null, postings })
  rows.moveOrganisation(id, amount, command.note)
  return outcome
}

function accountOf(funder: number, { catalog }: DecisionContext): AccountId {
  const found = catalog.fundersById.get(funder)
  if (found === undefined) throw new Error(`organisation ${funder} is not in the catalog`)
  return found.account
}

function changeBalance(organisation: number, amount: bigint, rows: WorkingSet): void {
  const counters = rows.organisation(organisation)
  if (counters === undefined) throw new Error(`organisation ${organisation} is not locked`)
  rows.setOrganisation({ ...counters, balance: counters.balance + amount })
}

export const noNote: Note = { reason: null, reference: null, actor: null }
