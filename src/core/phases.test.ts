import { describe, expect, test } from 'vitest'
import { card, confirm, expire, lot, newKey, refund, reverse, second } from '../../test/support/core.ts'
import { MemoryLedger } from '../../test/support/memory-ledger.ts'
import type { Phase } from './phases.ts'
import { phaseCodes, phaseOfCode, transitions } from './phases.ts'

const moves = {
  confirm: (id: number, channel: 'api' | 'terminal') => confirm(id, null, { channel }),
  reverse: (id: number, channel: 'api' | 'terminal') => reverse(id, null, { channel }),
  refund: (id: number, channel: 'api' | 'terminal') => refund(id, null, { channel }),
  expire: (id: number) => expire(id, { key: newKey() }),
}

describe('each move from each phase', () => {
  test.each([
    // phase,      move,      channel,    reason,             phase after, what of the 100 is still spent or held
    ['authorized', 'confirm', 'api', 'approved', 'confirmed', 100n],
    ['authorized', 'confirm', 'terminal', 'approved', 'confirmed', 100n],
    ['confirmed', 'confirm', 'api', 'not_confirmable', 'confirmed', 100n],
    ['confirmed', 'confirm', 'terminal', 'approved', 'confirmed', 100n],
    ['settled', 'confirm', 'api', 'not_confirmable', 'settled', 100n],
    ['settled', 'confirm', 'terminal', 'approved', 'settled', 100n],
    ['reversed', 'confirm', 'api', 'not_confirmable', 'reversed', 0n],
    ['reversed', 'confirm', 'terminal', 'not_confirmable', 'reversed', 0n],
    ['expired', 'confirm', 'api', 'confirm_too_late', 'expired', 0n],
    ['expired', 'confirm', 'terminal', 'confirm_too_late', 'expired', 0n],
    ['refused', 'confirm', 'api', 'not_confirmable', 'refused', 0n],
    ['refused', 'confirm', 'terminal', 'not_confirmable', 'refused', 0n],
    ['authorized', 'reverse', 'api', 'approved', 'reversed', 0n],
    ['authorized', 'reverse', 'terminal', 'approved', 'reversed', 0n],
    ['confirmed', 'reverse', 'api', 'approved', 'reversed', 0n],
    ['confirmed', 'reverse', 'terminal', 'approved', 'reversed', 0n],
    ['settled', 'reverse', 'api', 'not_reversible', 'settled', 100n],
    ['reversed', 'reverse', 'api', 'not_reversible', 'reversed', 0n],
    ['reversed', 'reverse', 'terminal', 'approved', 'reversed', 0n],
    ['expired', 'reverse', 'api', 'not_reversible', 'expired', 0n],
    ['expired', 'reverse', 'terminal', 'approved', 'expired', 0n],
    ['refused', 'reverse', 'api', 'not_reversible', 'refused', 0n],
    ['refused', 'reverse', 'terminal', 'approved', 'refused', 0n],
    ['authorized', 'refund', 'api', 'not_refundable', 'authorized', 100n],
    ['authorized', 'refund', 'terminal', 'not_refundable', 'authorized', 100n],
    ['reversed', 'refund', 'api', 'not_refundable', 'reversed', 0n],
    ['reversed', 'refund', 'terminal', 'not_refundable', 'reversed', 0n],
    ['expired', 'refund', 'api', 'not_refundable', 'expired', 0n],
    ['expired', 'refund', 'terminal', 'not_refundable', 'expired', 0n],
    ['refused', 'refund', 'api', 'not_refundable', 'refused', 0n],
    ['refused', 'refund', 'terminal', 'not_refundable', 'refused', 0n],
    ['authorized', 'expire', 'api', 'not_expirable', 'authorized', 100n],
    ['confirmed', 'expire', 'api', 'not_expirable', 'confirmed', 100n],
    ['settled', 'expire', 'api', 'not_expirable', 'settled', 100n],
    ['reversed', 'expire', 'api', 'not_expirable', 'reversed', 0n],
    ['expired', 'expire', 'api', 'not_expirable', 'expired', 0n],
    ['refused', 'expire', 'api', 'not_expirable', 'refused', 0n],
  ] as const)('%s, %s by %s: %s', (phase, move, channel, reason, after, used) => {
    const ledger = new MemoryLedger({ cards: [card(1)], lots: [lot(1, 1, 500n)] })
    const id = ledger.open(phase)
    const { decision, transaction } = ledger.do(moves[move](id, channel))
    expect(decision).toMatchObject({ reason, phase: after, transaction: id, amounts: transaction?.amounts })
    expect(decision.postings.reduce((sum, { remaining }) => sum + remaining, 0n)).toBe(used)
    const { debitsPending, debitsPosted, creditsPosted } = ledger.lots.get(1)!
    expect(debitsPending + debitsPosted - (creditsPosted - 500n)).toBe(used)
  })

  test.each([
    // phase,     move,      channel
    ['confirmed', 'refund', 'api'],
    ['confirmed', 'refund', 'terminal'],
    ['settled', 'refund', 'api'],
    ['settled', 'refund', 'terminal'],
    ['settled', 'reverse', 'terminal'],
  ] as const)('%s, %s by %s: a linked refund', (phase, move, channel) => {
    const ledger = new MemoryLedger({ cards: [card(1)], lots: [lot(1, 1, 500n)] })
    const id = ledger.open(phase)
    const { decision, transaction } = ledger.do(moves[move](id, channel))
    expect(decision).toMatchObject({ reason: 'approved', phase: 'confirmed' })
    expect(transaction).toMatchObject({ kind: 'refund', original: id, merchant: 1, terminal: 1, holder: 1, version: 0 })
    expect(ledger.transactions.get(id)).toMatchObject({ phase: 'confirmed', amounts: { refunded: 100n, reversed: 0n } })
    expect(ledger.lots.get(1)).toMatchObject({ debitsPosted: 100n, creditsPosted: 600n })
  })

  test('a hold that has run out expires', () => {
    const ledger = new MemoryLedger({ cards: [card(1)], lots: [lot(1, 1, 500n)] })
    const id = ledger.open('authorized')
    ledger.at += 900 * second
    expect(ledger.do(expire(id)).decision).toMatchObject({ reason: 'approved', phase: 'expired' })
    expect(ledger.lots.get(1)).toMatchObject({ debitsPending: 0n, debitsPosted: 0n })
  })
})

test('where each move leads', () => {
  expect(transitions).toEqual({
    refused: {},
    authorized: { confirm: 'confirmed', reverse: 'reversed', expire: 'expired' },
    confirmed: { reverse: 'reversed', settle: 'settled', refund: 'confirmed' },
    settled: { refund: 'settled' },
    reversed: {},
    expired: {},
  })
})

test('each change counts the version up, also within one batch', () => {
  const ledger = new MemoryLedger({ cards: [card(1)], lots: [lot(1, 1, 500n)] })
  const versionOf = (id: number): number | undefined => ledger.transactions.get(id)?.version
  const id = ledger.open('authorized')
  const versions = [versionOf(id)]
  ledger.do(confirm(id))
  versions.push(versionOf(id))
  ledger.submit([reverse(id, 10n), refund(id, 10n)])
  versions.push(versionOf(id))
  expect(versions).toEqual([0, 1, 3])
})

test('every phase has its code, and its row of moves', () => {
  const phases = Object.keys(phaseCodes) as Phase[]
  expect(phases.map(phase => phaseOfCode(phaseCodes[phase]))).toEqual(phases)
  expect(Object.keys(transitions).toSorted()).toEqual(phases.toSorted())
  expect(() => phaseOfCode(6)).toThrow('phase code 6')
})
