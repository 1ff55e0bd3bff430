import { expect } from 'vitest'
import type { Catalog } from '../../src/core/catalog.ts'
import type { Command } from '../../src/core/commands.ts'
import type { Outcome } from '../../src/core/decision.ts'
import { rrnOf } from '../../src/core/ids.ts'
import { isLot, type Lot } from '../../src/core/ledger.ts'
import { termsAt } from '../../src/core/terms.ts'
import type { Card, Decision } from '../../src/core/transactions.ts'
import { Model } from './model.ts'
import type { ModelAnswer, ModelCommand, World } from './model-types.ts'

/** What the model has to know of a ledger. */
export function worldOf(catalog: Catalog, cards: Iterable<Card>, lots: Iterable<Lot>): World {
  const { tenant, merchantsById, terminalsByCode, programsById } = catalog
  return {
    currencies: [tenant.currency.code, tenant.currency.numeric ?? ''],
    merchants: [...catalog.merchantsByCode.keys()],
    terminals: Object.fromEntries(
      [...terminalsByCode.values()].map(({ code, merchant, confirmation, partial, confirmWithinSeconds }) => [
        code,
        {
          merchant: merchantsById.get(merchant)?.code ?? '',
          isImplicit: confirmation === 'implicit',
          partial,
          confirmWithinSeconds,
        },
      ]),
    ),
    cards: Object.fromEntries(
      [...cards].map(({ token, holder, status, expiresAt }) => [
        token,
        { holder, isBlocked: status === 'blocked', expiresAt },
      ]),
    ),
    lots: [...lots].map(lot => {
      const program = programsById.get(lot.program)
      const terms = program && termsAt(program, Number.MAX_SAFE_INTEGER)
      return {
        id: lot.id,
        holder: lot.holder,
        program: program?.code ?? '',
        isWelfare: program?.kind === 'welfare',
        priority: terms?.priority ?? 0,
        confirmWithinSeconds: terms?.confirmWithinSeconds ?? null,
        spendable: lot.asset === tenant.currency.id,
        limit: lot.limit,
        expiresAt: lot.expiresAt,
        loaded: lot.creditsPosted,
        spent: lot.debitsPosted,
        held: lot.debitsPending,
      }
    }),
  }
}

/** A stored answer as the model gives it. */
export function answerOf({ reason, transaction, phase, amounts, postings, balances, kind }: Decision): ModelAnswer {
  const legs = kind === 'adjust' ? [] : postings
  return {
    reason,
    transaction,
    phase,
    amounts,
    legs: legs
      .filter(({ remaining }) => remaining > 0n)
      .map(({ debit, credit, remaining }) => [isLot(debit) ? debit : credit, remaining] as const),
    balances,
  }
}

export type Exchange = readonly [command: Command, outcome: Outcome]

/** Not stored: a hold that is not due yet may be asked about again. */
const isPassing = ({ kind }: Command, { phase }: Decision): boolean => kind === 'expire' && phase === 'authorized'

/** Holds what a ledger answers against the model, in the order in which it was decided. */
export class Referee {
  readonly model: Model
  /** Copies that cross on the way to the database may each be told that they were the first. */
  readonly #copiesMayCross: boolean
  /** The first answer to each key, and its decision. */
  readonly #decided = new Map<string, Decision>()

  constructor(world: World, { copiesMayCross = false } = {}) {
    this.model = new Model(world)
    this.#copiesMayCross = copiesMayCross
  }

  /** All that was sent at the same time: what was decided first, then the answers that only repeat. */
  check(exchanges: readonly Exchange[]): void {
    const isFirst = ([, outcome]: Exchange): boolean => outcome.kind === 'decided' && !outcome.replayed
    // An answer that is not stored has the index of the next that is: it was decided before that one.
    const orderOf = ([command, outcome]: Exchange): readonly [number, number, number] => {
      if (outcome.kind !== 'decided') return [0, 0, 0]
      const { batch, index } = outcome.decision
      return [batch, index, isPassing(command, outcome.decision) ? 0 : 1]
    }
    const inOrder = exchanges.filter(isFirst).toSorted((one, other) => {
      const [batch, index, isStored] = orderOf(one)
      const [otherBatch, otherIndex, isOtherStored] = orderOf(other)
      return batch - otherBatch || index - otherIndex || isStored - isOtherStored
    })
    for (const exchange of [...inOrder, ...exchanges.filter(one => !isFirst(one))]) this.#checkOne(exchange)
  }

  #checkOne([command, outcome]: Exchange): void {
    if (outcome.kind === 'deferred') throw new Error('a deferred outcome is no answer')
    const decision = outcome.kind === 'decided' ? outcome.decision : null
    const moment = { at: decision?.at ?? 0, batch: decision?.batch ?? 0, id: decision?.transaction ?? 0, rrnOf }
    const verdict = this.model.apply(command as ModelCommand, moment)
    if (decision === null || outcome.kind !== 'decided') {
      expect(outcome.kind, `the answer to a ${command.kind}`).toBe(verdict.kind)
      return
    }
    const first = this.#decided.get(command.key)
    const isCrossed = this.#copiesMayCross && first !== undefined
    const replayed = isCrossed && verdict.kind === 'decided' ? verdict.replayed : outcome.replayed
    const given = { kind: 'decided', answer: answerOf(decision), replayed }
    expect(given, `the answer to a ${command.kind}`).toEqual(verdict)
    if (isPassing(command, decision)) return
    if (first === undefined) this.#decided.set(command.key, decision)
    else expect(decision).toEqual(first)
  }

  /** Counters of the lots, and what merchants are owed, are what the model has; they are the fold of the postings. */
  checkBooks(lots: Iterable<Lot>, decisions: Iterable<Decision>, catalog: Catalog, before: Iterable<Lot>): void {
    const opening = new Map([...before].map(lot => [lot.id, lot]))
    const sums = new Map<number, { pending: bigint; debit: bigint; credit: bigint }>()
    const sumOf = (account: number) => {
      const sum = sums.get(account) ?? { pending: 0n, debit: 0n, credit: 0n }
      sums.set(account, sum)
      return sum
    }
    for (const { postings } of decisions) {
      for (const { debit, credit, pending, posted } of postings) {
        sumOf(debit).pending += pending
        sumOf(debit).debit += posted
        sumOf(credit).credit += posted
      }
    }
    const counters: unknown[] = []
    const expected: unknown[] = []
    for (const lot of lots) {
      const { id, debitsPending, debitsPosted, creditsPosted, creditsPending, limit } = lot
      const own = this.model.lots.find(one => one.id === id)
      const start = opening.get(id)
      const balance = creditsPosted - debitsPosted
      counters.push({ id, debitsPending, balance, debitsPosted, creditsPosted, creditsPending, isWithin: true })
      expected.push({
        id,
        debitsPending: own?.held,
        balance: (own?.loaded ?? 0n) - (own?.spent ?? 0n),
        debitsPosted: (start?.debitsPosted ?? 0n) + sumOf(id).debit,
        creditsPosted: (start?.creditsPosted ?? 0n) + sumOf(id).credit,
        creditsPending: 0n,
        isWithin: debitsPending >= 0n && balance + limit - debitsPending >= 0n,
      })
      expect(debitsPending).toBe((start?.debitsPending ?? 0n) + sumOf(id).pending)
    }
    expect(counters).toEqual(expected)
    for (const { code, payable } of catalog.merchantsById.values()) {
      const { credit, debit } = sumOf(payable)
      expect({ code, owed: credit - debit }).toEqual({ code, owed: this.model.owed.get(code) ?? 0n })
    }
  }
}
