import { describe, expect, test } from 'vitest'
import {
  adjust,
  authorize,
  breakage,
  card,
  cardToken,
  catalog,
  clawback,
  confirm,
  deposit,
  expire,
  inquire,
  load,
  lot,
  newKey,
  refund,
  reverse,
  settle,
  startOfTime,
  transfer,
} from '../../test/support/core.ts'
import { MemoryLedger } from '../../test/support/memory-ledger.ts'
import type { Command } from './commands.ts'
import { decide } from './decide.ts'
import type { DecisionContext, Outcome } from './decision.ts'
import { dayOfMicros } from './ids.ts'
import { localTimeOf } from './local-time.ts'
import { type Rows, WorkingSet } from './working-set.ts'

const open = (): MemoryLedger => new MemoryLedger({ cards: [card(1)], lots: [lot(1, 1, 500n)] })

describe('one key, one effect', () => {
  const commands: [string, (ledger: MemoryLedger) => Command][] = [
    ['authorize', () => authorize(100n)],
    ['authorize, refused', () => authorize(501n)],
    ['authorize, refused for its card', () => authorize(1n, { card: cardToken(9) })],
    ['confirm', ledger => confirm(ledger.open('authorized'))],
    ['confirm, refused', ledger => confirm(ledger.open('reversed'))],
    ['confirm of nothing', () => confirm(5)],
    ['reverse', ledger => reverse(ledger.open('confirmed'), 10n)],
    ['reverse, late', ledger => reverse(ledger.open('settled'), null, { channel: 'terminal' })],
    ['reverse, remembered', () => reverse(newKey())],
    ['reverse, remembered by bill', () => reverse('bill-1')],
    ['refund', ledger => refund(ledger.open('confirmed'))],
    ['expire, refused', ledger => expire(ledger.open('confirmed'))],
    ['inquire', () => inquire()],
    ['load', () => load(1, 10n)],
    ['load, refused', () => load(1, 0n)],
    ['clawback', () => clawback(1, 10n)],
    ['adjust', () => adjust(1, 1, -10n)],
    ['transfer', () => transfer([1, 1], [2, 1], 10n)],
    ['deposit', () => deposit(2, 10n)],
    ['settle', () => settle('M1', 10n)],
  ]
  test.each(commands)('%s', (_name, commandOf) => {
    const ledger = open()
    const command = commandOf(ledger)
    const first = ledger.do(command)
    const state = (): unknown => [[...ledger.lots.values()], [...ledger.transactions.values()], [...ledger.bills]]
    const before = structuredClone(state())
    // A load in between: what was refused stays refused, and balances are those first told.
    const again = ledger.do(command)
    expect(again).toMatchObject({ replayed: true })
    expect(again.decision).toEqual(first.decision)
    expect(ledger.submit([{ ...command, content: 'bb' }])).toEqual([{ kind: 'other_content', stored: 'aa' }])
    expect(state()).toEqual(before)
    ledger.do(load(1, 1_000n))
    expect(ledger.do(command).decision).toEqual(first.decision)
  })

  test('three copies in one batch, the last with other content', () => {
    const ledger = open()
    const command = authorize(100n)
    const outcomes = ledger.submit([command, command, { ...command, amount: 5n, content: 'bb' }])
    const [one, other, altered] = outcomes
    expect(one).toMatchObject({ kind: 'decided', replayed: false })
    expect(other).toEqual({ ...one, replayed: true })
    expect(altered).toEqual({ kind: 'other_content', stored: 'aa' })
    expect(ledger.lots.get(1)?.debitsPending).toBe(100n)
  })

  test('a replay tells the transaction as it stands, beside the answer as it was', () => {
    const ledger = open()
    const command = authorize(100n)
    const id = ledger.do(command).decision.transaction!
    ledger.do(confirm(id))
    expect(ledger.do(command)).toMatchObject({ decision: { phase: 'authorized' }, transaction: { phase: 'confirmed' } })
  })
})

/** Decides on these rows alone. */
function decideOn(command: Command, given: Partial<Rows>): { readonly outcome: Outcome; readonly rows: WorkingSet } {
  const rows = new WorkingSet({
    decisions: [],
    transactions: [],
    cards: [],
    lots: [],
    lockedHolders: [],
    organisations: [],
    holdersWithLots: [],
    settledUpTo: [],
    rememberedReversals: [],
    ...given,
  })
  const context: DecisionContext = {
    catalog,
    at: startOfTime,
    batch: 99,
    businessDate: dayOfMicros(startOfTime),
    local: localTimeOf(startOfTime, catalog.tenant),
    nextLot: () => undefined,
    nextSequence: () => {
      throw new Error('nothing may be opened')
    },
  }
  return { outcome: decide(command, rows, context), rows }
}

test.each([
  ['a load', load(9, 1n), []],
  ['a claw-back', clawback(9, 1n), []],
  ['an adjustment', adjust(9, 1, 1n), []],
  ['a transfer from', transfer([9, 1], [1, 1], 1n), [1]],
  ['a transfer to', transfer([1, 1], [9, 1], 1n), [1]],
] as [string, Command, number[]][])('a holder who is not there waits for nobody: %s', (_name, command, locked) => {
  const lockedHolders = locked.map(id => [id, []] as const)
  const { outcome } = decideOn(command, { missingHolders: [9], lockedHolders, holdersWithLots: [1, 9] })
  expect(outcome).toMatchObject({ kind: 'decided', decision: { reason: 'account_unknown', postings: [] } })
})

describe('what the rows of a batch do not tell is left to the next one', () => {
  const holds = open()
  const held = holds.open('authorized')
  const done = holds.open('confirmed')
  const back = holds.do(refund(done, 10n)).decision.transaction!
  const opener = authorize(1n)
  const opened = holds.do(opener).decision
  const rowOf = (id: number) => holds.transactions.get(id)!
  const locked = { lockedHolders: [[1, []]] } satisfies Partial<Rows>
  const uncounted = { lockedHolders: [[1, null]] } satisfies Partial<Rows>
  const oneLot = { lots: [lot(1, 1, 100n)], holdersWithLots: [1] }
  const funderOne = { id: 1, balance: 0n, usage: [] }
  const settledUpTo = [[1, -1]] as const

  const cases: [string, Command, Partial<Rows>, Outcome][] = [
    // name,                         command,        rows,                                        outcome
    ['the lock of the card', authorize(1n), { cards: [card(1)] }, { kind: 'deferred', need: {} }],
    [
      'the lots of the card',
      authorize(1n),
      { cards: [card(1)], ...locked },
      { kind: 'deferred', need: { lotsOf: [1] } },
    ],
    [
      'what the limits have counted',
      authorize(1n),
      { cards: [card(1)], ...oneLot, ...uncounted },
      { kind: 'deferred', need: {} },
    ],
    ['the lock, to inquire', inquire(), { cards: [card(1)] }, { kind: 'deferred', need: {} }],
    [
      'what the limits have counted, to inquire',
      inquire(),
      { cards: [card(1)], ...oneLot, ...uncounted },
      { kind: 'deferred', need: {} },
    ],
    [
      'what the limits have counted, to confirm in part',
      confirm(held, 60n),
      { transactions: [rowOf(held)], ...oneLot, ...uncounted },
      { kind: 'deferred', need: { lotsOf: [1] } },
    ],
    ['the lots, to inquire', inquire(), { cards: [card(1)], ...locked }, { kind: 'deferred', need: { lotsOf: [1] } }],
    ['the lock of the original', confirm(held), { transactions: [rowOf(held)] }, { kind: 'deferred', need: {} }],
    ['the lock, to expire', expire(held), { transactions: [rowOf(held)] }, { kind: 'deferred', need: {} }],
    ['the lock and the funder, to load', load(1, 1n), {}, { kind: 'deferred', need: { organisations: [1] } }],
    [
      'a number, to load',
      load(1, 1n),
      { ...locked, organisations: [funderOne] },
      { kind: 'deferred', need: { lots: 1 } },
    ],
    ['the lots, to claw back', clawback(1, 1n), locked, { kind: 'deferred', need: { lotsOf: [1] } }],
    [
      'the funder, to claw back',
      clawback(1, 1n),
      { ...locked, ...oneLot },
      { kind: 'deferred', need: { organisations: [1] } },
    ],
    ['the lots, to adjust', adjust(1, 1, 1n), locked, { kind: 'deferred', need: { lotsOf: [1] } }],
    [
      'the funder, to adjust',
      adjust(1, 1, 1n),
      { ...locked, ...oneLot },
      { kind: 'deferred', need: { organisations: [1] } },
    ],
    [
      'the other holder, to transfer',
      transfer([1, 1], [2, 1], 1n),
      { ...locked, ...oneLot },
      { kind: 'deferred', need: { lotsOf: [1, 2] } },
    ],
    [
      'numbers, to transfer',
      transfer([1, 1], [2, 1], 1n),
      { lockedHolders: [...locked.lockedHolders, [2, []]], lots: oneLot.lots, holdersWithLots: [1, 2] },
      { kind: 'deferred', need: { lots: 1 } },
    ],
    ['the lots, to sweep', breakage(1, 1, 0), locked, { kind: 'deferred', need: { lotsOf: [1] } }],
    ['the organisation, to pay in', deposit(1, 1n), {}, { kind: 'deferred', need: { organisations: [1] } }],
    [
      'the row behind a key',
      confirm(opener.key),
      { decisions: [opened] },
      { kind: 'deferred', need: { transactions: [opened.transaction!] } },
    ],
    ...[reverse, refund].map((follow): (typeof cases)[number] => [
      `the row behind a key, of which only an old state is known, to ${follow.name}`,
      follow(opener.key),
      { decisions: [opened], rememberedHolds: [rowOf(opened.transaction!)], ...oneLot, ...locked, settledUpTo },
      { kind: 'deferred', need: { transactions: [opened.transaction!] } },
    ]),
    [
      'the row behind its own key',
      opener,
      { decisions: [opened] },
      { kind: 'deferred', need: { transactions: [opened.transaction!] } },
    ],
    [
      'rows of a bill',
      reverse({ by: 'reference', merchant: 'M1', reference: 'bill-1', ids: [held, done] }),
      { transactions: [rowOf(held)], ...locked },
      { kind: 'deferred', need: { transactions: [done] } },
    ],
    [
      'the watermark',
      refund(done),
      { transactions: [rowOf(done)], ...locked },
      { kind: 'deferred', need: { watermarksOf: [1] } },
    ],
    [
      'the watermark, to expire',
      expire(done),
      { transactions: [rowOf(done)], ...locked },
      { kind: 'deferred', need: { watermarksOf: [1] } },
    ],
    [
      'the purchase of a refund',
      reverse(back),
      { transactions: [rowOf(back)], ...locked, settledUpTo },
      { kind: 'deferred', need: { transactions: [done] } },
    ],
    [
      'the lots of a refund',
      reverse(back),
      { transactions: [rowOf(back), rowOf(done)], ...locked, settledUpTo },
      { kind: 'deferred', need: { lotsOf: [1] } },
    ],
  ]
  test.each(cases)('%s', (_name, command, given, outcome) => {
    const { outcome: found, rows } = decideOn(command, given)
    expect(found).toEqual(outcome)
    expect([rows.newDecisions, rows.lotDeltas.size, rows.changedTransactions]).toEqual([[], 0, []])
  })

  test.each([
    // what a confirm names, of a hold of which only an old state is known; the refusal, or what is to be read
    ['another merchant', { merchants: ['M2'] }, 'original_unknown'],
    ['another card', { card: cardToken(2) }, 'original_mismatch'],
    ['another currency', { currency: 'EUR' }, 'currency_unsupported'],
    ['more than is held', { amount: 10_000n }, null],
  ] as const)('%s is refused without the row only where that never changes', (_name, over, reason) => {
    const { outcome } = decideOn(confirm(held, null, over), {
      rememberedHolds: [rowOf(held)],
      ...oneLot,
      ...locked,
      settledUpTo,
    })
    const refused = { kind: 'decided', decision: { reason, transaction: null } }
    expect(outcome).toMatchObject(reason === null ? { kind: 'deferred', need: { transactions: [held] } } : refused)
  })
})
