import { decideAuthorize } from './authorize.ts'
import { businessDateOf } from './calendar.ts'
import type { Catalog } from './catalog.ts'
import type { Authorize } from './commands.ts'
import type { DecisionContext } from './decision.ts'
import type { Micros } from './ids.ts'
import { availableOf, type Lot } from './ledger.ts'
import { type LimitUse, limitUsesOf } from './limit-uses.ts'
import { localTimeOf } from './local-time.ts'
import type { Reason } from './reasons.ts'
import { type CardSnapshot, countedIn } from './snapshot.ts'
import { candidatesOf, spend } from './spend.ts'
import type { Transaction } from './transactions.ts'
import { WorkingSet } from './working-set.ts'

/** One lot in the order of spending: what would be taken, and the rule why it would be no more; null: no need. */
interface SimulatedLine {
  readonly lot: Lot
  readonly available: bigint
  readonly taken: bigint
  readonly because: Reason | null
  readonly limits: readonly LimitUse[]
}

export interface Simulation {
  readonly reason: Reason
  /** As it would be: its id, numbers and codes mean nothing. */
  readonly transaction: Transaction
  readonly lines: readonly SimulatedLine[]
}

/** What would become of a purchase at a moment: decided by the rules that decide all, on rows that nobody keeps. */
export function simulate(command: Authorize, snapshot: CardSnapshot | null, at: Micros, catalog: Catalog): Simulation {
  const { timeZone, cutOverSeconds } = catalog.tenant
  const context: DecisionContext = {
    catalog,
    at,
    batch: 0,
    businessDate: businessDateOf(at, timeZone, cutOverSeconds),
    local: localTimeOf(at, catalog.tenant),
    nextSequence: () => 0,
    nextLot: () => undefined,
  }
  const outcome = decideAuthorize(command, rowsOf(snapshot), context)
  if (outcome.kind !== 'decided' || outcome.transaction === null) throw new Error(`a simulation is ${outcome.kind}`)
  const { decision, transaction } = outcome
  return { reason: decision.reason, transaction, lines: snapshot === null ? [] : linesOf(command, snapshot, context) }
}

function rowsOf(snapshot: CardSnapshot | null): WorkingSet {
  const holder = snapshot?.card.holder
  return new WorkingSet({
    decisions: [],
    transactions: [],
    cards: snapshot === null ? [] : [snapshot.card],
    lots: snapshot?.lots ?? [],
    lockedHolders: snapshot === null ? [] : [[snapshot.card.holder, snapshot.usage]],
    organisations: snapshot?.organisations ?? [],
    holdersWithLots: holder === undefined ? [] : [holder],
    settledUpTo: [],
    rememberedReversals: [],
  })
}

function linesOf(command: Authorize, snapshot: CardSnapshot, { catalog, local }: DecisionContext): SimulatedLine[] {
  const merchant = catalog.merchantsByCode.get(command.merchant) ?? null
  const purchase = { ...command, merchant, local }
  const candidates = candidatesOf(snapshot.lots, purchase, catalog)
  const counted = countedIn(snapshot)
  const found = spend(candidates, purchase, counted)
  return candidates.map(({ lot, program, terms }, index) => {
    const line = found?.lines[index]
    const parties = { merchants: merchant === null ? [] : [merchant.id], funders: [lot.funder] }
    return {
      lot,
      available: availableOf(lot),
      taken: line?.taken ?? 0n,
      because: line?.because ?? null,
      limits: limitUsesOf(program, terms, parties, local, counted, catalog),
    }
  })
}
