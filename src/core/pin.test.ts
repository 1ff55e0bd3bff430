import { expect, test } from 'vitest'
import { authorize, card, cardToken, inquire, lot } from '../../test/support/core.ts'
import { MemoryLedger } from '../../test/support/memory-ledger.ts'
import type { PinVerdict } from './commands.ts'

const open = (pinTries = 0): MemoryLedger =>
  new MemoryLedger({ cards: [card(1, { pinTries })], lots: [lot(1, 1, 100n)] })
const triesIn = (ledger: MemoryLedger): number | undefined => ledger.cards.get(cardToken(1))?.pinTries

const verdicts: [string, number, PinVerdict | undefined, string, number][] = [
  // name, wrong PINs before, what the edge found, reason, wrong PINs after
  ['no PIN leaves the count', 2, undefined, 'approved', 2],
  ['a right one', 0, 'verified', 'approved', 0],
  ['a right one forgets the wrong ones', 2, 'verified', 'approved', 0],
  ['a wrong one counts', 0, 'wrong', 'pin_wrong', 1],
  ['the last try', 2, 'wrong', 'pin_wrong', 3],
  ['blocked, wrong', 3, 'wrong', 'pin_tries_exceeded', 3],
  ['blocked, right', 3, 'verified', 'pin_tries_exceeded', 3],
  ['blocked, without a PIN', 3, undefined, 'pin_tries_exceeded', 3],
  ['a block that cannot be read is no try', 1, 'unverifiable', 'pin_unverifiable', 1],
  ['a replay is no try', 1, 'replayed', 'pin_replayed', 1],
]
test.each(verdicts)('%s', (_name, before, pin, reason, after) => {
  const given = pin === undefined ? {} : { pin }
  for (const command of [authorize(10n, given), inquire(given)]) {
    const ledger = open(before)
    expect(ledger.do(command).decision.reason).toBe(reason)
    expect(triesIn(ledger)).toBe(after)
  }
})

test('a repeat gets the stored answer and is not counted again', () => {
  const ledger = open()
  const command = authorize(10n, { pin: 'wrong' })
  ledger.do(command)
  expect(ledger.do(command)).toMatchObject({ replayed: true, decision: { reason: 'pin_wrong' } })
  expect(ledger.do({ ...command, pin: 'replayed' })).toMatchObject({ replayed: true })
  expect(triesIn(ledger)).toBe(1)
})

test('four wrong ones in one batch: the fourth finds the card blocked', () => {
  const ledger = open()
  const outcomes = ledger.submit(Array.from({ length: 4 }, () => authorize(10n, { pin: 'wrong' })))
  const reasons = outcomes.map(outcome => (outcome.kind === 'decided' ? outcome.decision.reason : outcome.kind))
  expect(reasons).toEqual(['pin_wrong', 'pin_wrong', 'pin_wrong', 'pin_tries_exceeded'])
})

test('a right PIN counts as right even if the funds are not there', () => {
  const ledger = open(2)
  expect(ledger.do(authorize(101n, { pin: 'verified' })).decision.reason).toBe('insufficient_funds')
  expect(triesIn(ledger)).toBe(0)
})
