import { describe, expect, test } from 'vitest'
import {
  type Elements,
  elementsOf,
  messageOf,
  originalElements,
  panOfCard,
  purchaseElements,
  testTenant,
} from '../../test/support/terminal.ts'
import { dayOfDate } from '../core/calendar.ts'
import { approvalCodeOf, idOfRrn, rrnOf, transactionIdOf } from '../core/ids.ts'
import type { Decision, Transaction } from '../core/transactions.ts'
import type { Result } from '../engine/result.ts'
import { commandOf } from './command.ts'
import { isAnswerable, replyMtiOf } from './mti.ts'
import { replyOf, replyTo } from './reply.ts'

const today = dayOfDate('2026-11-21')!
const id = transactionIdOf(today, 5, 77)
const at = today * 86_400_000_000 + 3_600_000_000

const amounts = { requested: 1000n, authorized: 1000n, confirmed: 0n, reversed: 0n, refunded: 0n }

const transaction: Transaction = {
  id,
  kind: 'purchase',
  phase: 'authorized',
  reason: 'approved',
  version: 0,
  holder: 1,
  card: 'token',
  merchant: 1,
  terminal: 1,
  asset: 1,
  amounts,
  legs: [],
  at,
  expiresAt: null,
  businessDate: today - 1,
  confirmedIn: null,
  original: null,
  stan: 1,
  rrn: null,
  reference: null,
}

function decisionOf(over: Partial<Decision> = {}): Decision {
  return {
    key: '',
    day: today,
    content: 'content',
    kind: 'authorize',
    reason: 'approved',
    transaction: id,
    phase: 'authorized',
    amounts,
    postings: [],
    balances: null,
    batch: 3,
    index: 1,
    at,
    ...over,
  }
}

const decided = (decision: Partial<Decision>, of: Transaction | null = transaction): Result => ({
  kind: 'decided',
  decision: decisionOf(decision),
  transaction: of,
  replayed: false,
})

function replyFor(mti: string, over: Elements, result: Result): Record<number, string> | null {
  const request = messageOf(mti, { ...purchaseElements, ...over })
  const mapped = commandOf(request, {
    tenant: testTenant,
    identity: 'transmission',
    today,
    tokenOf: pan => `token of ${pan}`,
  })
  if (mapped.kind !== 'command') throw new Error(`answered with ${mapped.reason} ${mapped.detail}`)
  const reply = replyOf({ request, command: mapped.command, elements: mapped.elements, tenant: testTenant }, result)
  return reply === null ? null : elementsOf(reply.message)
}

const originals: Elements = { 11: '000002', 90: originalElements('0200', '000001', '1121143000') }

test.each([
  ['0100', '0110'],
  ['0101', '0110'],
  ['0200', '0210'],
  ['0201', '0210'],
  ['0202', '0212'],
  ['0203', '0212'],
  ['0120', '0130'],
  ['0220', '0230'],
  ['0221', '0230'],
  ['0400', '0410'],
  ['0401', '0410'],
  ['0420', '0430'],
  ['0421', '0430'],
  ['0500', '0510'],
  ['0521', '0530'],
  ['0800', '0810'],
  ['0600', '0610'],
  ['1200', '1210'],
])('%s is answered with %s, which is never answered', (mti, reply) => {
  expect([isAnswerable(mti), replyMtiOf(mti), isAnswerable(reply)]).toEqual([true, reply, false])
})

test('an approval: what is echoed, what is added, and nothing else', () => {
  const sent = {
    12: '180000',
    13: '1121',
    14: '3012',
    22: '051',
    24: '200',
    25: '00',
    32: '12345',
    33: '54321',
    35: `${panOfCard(1)}=30121010000000`,
    36: '5',
    45: 'track 1',
    48: 'more',
    52: '0123456789ABCDEF',
    55: '9F2608',
    60: 'private',
    64: '0123456789ABCDEF',
  }
  expect(replyFor('0200', sent, decided({}))).toEqual({
    ...purchaseElements,
    12: '180000',
    13: '1121',
    15: '1120',
    24: '200',
    32: '12345',
    33: '54321',
    37: rrnOf(id),
    38: approvalCodeOf(id),
    39: '00',
  })
})

describe('elements of answers', () => {
  test.each<[string, string, Elements, Result, Record<number, string | undefined>]>([
    // name, MTI, request, result, of the reply
    [
      'a card that was read from its track',
      '0200',
      { 2: undefined, 35: `${panOfCard(1)}=3012` },
      decided({}),
      { 2: undefined },
    ],
    ['its own number', '0200', { 37: 'ABC123456789' }, decided({}), { 37: 'ABC123456789' }],
    ['a blank number', '0200', { 37: ' '.repeat(12) }, decided({}), { 37: rrnOf(id) }],
    [
      'the number of the original',
      '0202',
      originals,
      decided({ kind: 'confirm' }, { ...transaction, rrn: 'ABC123456789' }),
      { 37: 'ABC123456789', 38: approvalCodeOf(id), 90: originals[90] },
    ],
    [
      'a refusal',
      '0200',
      {},
      decided({ reason: 'insufficient_funds' }),
      { 39: '51', 44: 'insufficient_funds', 38: undefined },
    ],
    [
      'a refusal has its number',
      '0200',
      {},
      decided({ reason: 'card_blocked' }),
      { 39: '62', 37: rrnOf(id), 15: '1120' },
    ],
    [
      'a part',
      '0200',
      { 3: '003000' },
      decided({ reason: 'approved_partially', amounts: { ...amounts, authorized: 700n } }),
      { 39: '10', 4: '000000000700', 38: approvalCodeOf(id), 54: '3057364C000000001000' },
    ],
    [
      'a reverse that came first',
      '0400',
      originals,
      decided({ kind: 'reverse', transaction: null, amounts: null, phase: 'reversed' }, null),
      { 39: '00', 38: undefined, 15: '1121' },
    ],
    [
      'the late request of that',
      '0200',
      {},
      decided({ kind: 'reverse', content: '', reason: 'reversed_before', transaction: null }, null),
      { 39: '12', 44: 'reversed_before' },
    ],
    [
      'balances',
      '0200',
      { 3: '313000', 4: undefined },
      decided(
        {
          kind: 'inquire',
          transaction: null,
          balances: [
            { program: 'credit', balance: 100_000n, held: 1_000n, spendable: 99_000n },
            { program: 'welfare', balance: 5n, held: 0n, spendable: 0n },
          ],
        },
        null,
      ),
      { 39: '00', 54: '3001364C0000001000053002364C000000099000', 38: undefined },
    ],
    [
      'a debt, and more than fits',
      '0200',
      { 3: '310000' },
      decided(
        {
          kind: 'inquire',
          transaction: null,
          balances: [{ program: 'credit', balance: -5n, held: 0n, spendable: 10n ** 15n }],
        },
        null,
      ),
      { 54: '0001364D0000000000050002364C999999999999' },
    ],
    ['busy', '0200', {}, { kind: 'refused', reason: 'switch_busy' }, { 39: '91', 44: 'switch_busy', 15: undefined }],
    ['away', '0200', {}, { kind: 'refused', reason: 'switch_unavailable' }, { 39: '91', 37: undefined }],
    ['a bug', '0200', {}, { kind: 'refused', reason: 'internal_error' }, { 39: '96' }],
  ])('%s', (_name, mti, request, result, expected) => {
    const reply = replyFor(mti, request, result)
    const told = Object.keys(expected).map(element => [element, reply?.[Number.parseInt(element, 10)]])
    expect(Object.fromEntries(told)).toEqual(expected)
  })

  test('an outcome in doubt is not answered', () => {
    expect(replyFor('0200', {}, { kind: 'unknown' })).toBeNull()
  })

  test('other content names the element', () => {
    const stored = commandOf(messageOf('0200', { ...purchaseElements, 4: '000000001001' }), {
      tenant: testTenant,
      identity: 'transmission',
      today,
      tokenOf: pan => `token of ${pan}`,
    })
    if (stored.kind !== 'command') throw new Error('answered')
    const reply = replyFor('0200', {}, { kind: 'other_content', stored: stored.command.content })
    expect(reply).toMatchObject({ 39: '94', 44: 'DE4 differs' })
  })

  test('the word that a sale was not made is not answered with the answer to the word that it was', () => {
    expect(replyFor('0203', { ...originals, 39: '17' }, decided({ kind: 'confirm' }))).toMatchObject({
      39: '94',
      44: 'DE39 differs',
    })
  })

  test('an answer without a transaction has a number that no transaction has, and the same again', () => {
    const inquiry = decided({ kind: 'inquire', transaction: null, balances: [] }, null)
    const number = replyFor('0200', { 3: '310000' }, inquiry)?.[37]
    expect(number).toMatch(/^6325[0-9A-Z]{8}$/)
    expect(idOfRrn(number!, today)).toBeNull()
    expect(replyFor('0200', { 3: '310000' }, inquiry)?.[37]).toBe(number)
    const next = decided({ kind: 'inquire', transaction: null, balances: [], index: 2 }, null)
    expect(replyFor('0200', { 3: '310000' }, next)?.[37]).not.toBe(number)
  })

  test('DE44 has at most 25 characters', () => {
    const { message } = replyTo(messageOf('0500', { 11: '000001' }), 'processing_code_unsupported')
    expect(elementsOf(message)).toEqual({ 11: '000001', 39: '40', 44: 'processing_code_unsupport' })
  })
})
