import type { CardToken } from '../core/commands.ts'
import type { Micros } from '../core/ids.ts'
import type { Lot } from '../core/ledger.ts'
import type { Card, Decision, Transaction } from '../core/transactions.ts'
import type { Usage } from '../core/usage.ts'
import type { BillReference, OrganisationCounters } from '../core/working-set.ts'
import { cardOf, decisionOf, lotOf, transactionOf, usageOf } from '../store/batch/columns.ts'
import type { RowReader } from '../store/rows.ts'

/** What a batch has read, behind its locks. */
export interface ReadRows {
  readonly decisions: Decision[]
  readonly transactions: Transaction[]
  /** Not read: see `RecentHolds`. */
  rememberedHolds: readonly Transaction[]
  readonly cards: Card[]
  readonly lots: Lot[]
  /** With what their limits have counted; null where that was not asked for. */
  readonly lockedHolders: Map<number, Usage | null>
  /** Where their rows are, and those of the lots. */
  readonly placesOfHolders: Map<number, number>
  readonly placesOfLots: Map<number, number>
  missingHolders: number[]
  readonly organisations: OrganisationCounters[]
  readonly holdersWithLots: Set<number>
  readonly newLots: number[]
  readonly settledUpTo: (readonly [number, number])[]
  readonly rememberedReversals: BillReference[]
  batch: number
  at: Micros
  readonly sequences: number[]
}

export const emptyRows = (lotsOf: ReadonlySet<number>): ReadRows => ({
  decisions: [],
  transactions: [],
  rememberedHolds: [],
  cards: [],
  lots: [],
  lockedHolders: new Map(),
  placesOfHolders: new Map(),
  placesOfLots: new Map(),
  missingHolders: [],
  organisations: [],
  holdersWithLots: new Set(lotsOf),
  newLots: [],
  settledUpTo: [],
  rememberedReversals: [],
  batch: 0,
  at: 0,
  sequences: [],
})

/** Adds a row to those that a batch has read. */
export type Reader = (row: RowReader, into: ReadRows) => void

export const addHolder: Reader = (row, into) => {
  const holder = row.number()
  into.placesOfHolders.set(holder, row.place())
  const counted = row.isNull() ? null : usageOf(row)
  if (counted !== null || !into.lockedHolders.has(holder)) into.lockedHolders.set(holder, counted)
}

export const addTransaction: Reader = (row, into) => {
  into.transactions.push(transactionOf(row))
}

/** A row for each lot of the holder of one of `tokens`; the lot's columns are NULL where there is none. */
export const addCardOf =
  (tokens: readonly CardToken[]): Reader =>
  (row, into) => {
    const card = cardOf(row, tokens[row.number()] as CardToken)
    if (into.cards.at(-1)?.token !== card.token) {
      into.cards.push(card)
      into.holdersWithLots.add(card.holder)
    }
    addLot(row, into)
  }

export const addLot: Reader = (row, into) => {
  const lot = lotOf(row)
  if (lot === null) return
  into.lots.push(lot)
  into.holdersWithLots.add(lot.holder)
  into.placesOfLots.set(lot.id, row.place())
}

export const addOrganisation: Reader = (row, into) => {
  into.organisations.push({ id: row.number(), balance: row.money(), usage: usageOf(row) })
}

export const addDecision: Reader = (row, into) => {
  into.decisions.push(decisionOf(row))
}

export const addClock: Reader = (row, into) => {
  into.batch = row.number()
  into.at = row.time()
  for (let left = row.list(); left > 0; left--) into.sequences.push(row.number())
}
