import { describe, expect, test } from 'vitest'
import {
  type Elements,
  messageOf,
  originalElements,
  panOfCard,
  purchaseElements,
  terminalOne,
  testTenant,
} from '../../test/support/terminal.ts'
import { dayOfDate } from '../core/calendar.ts'
import { differingField } from '../core/content.ts'
import { terminalKey, terminalKeyRange } from '../core/keys.ts'
import { commandOf, type Mapped, type MappingContext, type TerminalCommand } from './command.ts'

const today = dayOfDate('2026-11-21')!
const merchant = 'M00000000000001'
const context: MappingContext = {
  tenant: testTenant,
  identity: 'transmission',
  today,
  tokenOf: pan => `token of ${pan}`,
}
const local: MappingContext = { ...context, identity: 'local' }
const token = `token of ${panOfCard(1)}`

const map = (mti: string, over: Elements = {}, given = context): Mapped =>
  commandOf(messageOf(mti, { ...purchaseElements, ...over }), given)

function commandIn(mapped: Mapped): TerminalCommand {
  if (mapped.kind !== 'command') throw new Error(`answered with ${mapped.reason} ${mapped.detail}`)
  return mapped.command
}

const followUp: Elements = { 2: undefined, 90: originalElements('0200', '000001', '1121143000'), 11: '000002' }
const keyOf = (step: 'open' | 'confirm' | 'reverse', stan: number, sentAt = 1121143000): string =>
  terminalKey({ terminal: terminalOne, merchant, step, stan, sentAt })

describe('requests and their commands', () => {
  test.each<[string, string, Elements, object]>([
    // name, MTI, elements, of the command
    ['purchase', '0200', {}, { kind: 'authorize', purpose: 'purchase', capture: 'terminal', partial: 'terminal' }],
    ['its repeat', '0201', {}, { kind: 'authorize', purpose: 'purchase', key: keyOf('open', 1) }],
    ['pre-authorization', '0100', {}, { kind: 'authorize', purpose: 'preauthorization', capture: false }],
    ['its repeat', '0101', {}, { kind: 'authorize', purpose: 'preauthorization', key: keyOf('open', 1) }],
    ['its own number', '0200', { 37: 'ABC123456789' }, { rrn: 'ABC123456789' }],
    ['a blank number', '0200', { 37: ' '.repeat(12) }, { rrn: null }],
    ['the account type does not matter', '0200', { 3: '003000' }, { kind: 'authorize', amount: 1000n }],
    ['codes are padded', '0200', { 41: 'T1      ', 42: 'M1             ' }, { terminal: 'T1', merchant: 'M1' }],
    ['inquiry', '0200', { 3: '310000', 4: undefined }, { kind: 'inquire', card: token, currency: '364' }],
    ['inquiry', '0100', { 3: '310000', 4: undefined }, { kind: 'inquire', key: keyOf('open', 1) }],
    ['refund', '0200', { 3: '200000', ...followUp }, { kind: 'refund', amount: 1000n, terminal: terminalOne, stan: 2 }],
    ['refund by DE37', '0200', { 3: '200000', 37: 'ABC123456789' }, { kind: 'refund', rrn: null, currency: '364' }],
    ['confirm', '0202', followUp, { kind: 'confirm', amount: 1000n, key: keyOf('confirm', 2), card: null }],
    ['its repeat', '0203', followUp, { kind: 'confirm', key: keyOf('confirm', 2) }],
    ['confirm, all of it', '0202', { ...followUp, 4: undefined }, { kind: 'confirm', amount: null }],
    ['confirm, approved', '0202', { ...followUp, 39: '00' }, { kind: 'confirm' }],
    ['confirm, approved in part', '0202', { ...followUp, 39: '10' }, { kind: 'confirm' }],
    ['advice', '0220', followUp, { kind: 'confirm', key: keyOf('confirm', 2) }],
    ['its repeat', '0221', followUp, { kind: 'confirm', key: keyOf('confirm', 2) }],
    [
      'the sale was not made',
      '0202',
      { ...followUp, 39: '17' },
      { kind: 'reverse', key: keyOf('confirm', 2), extent: { by: 'all' }, originalAmount: null },
    ],
    ['the sale was not made', '0220', { ...followUp, 39: '96' }, { kind: 'reverse', key: keyOf('confirm', 2) }],
    ['reverse', '0400', followUp, { kind: 'reverse', extent: { by: 'all' }, originalAmount: 1000n }],
    ['its repeat', '0401', followUp, { kind: 'reverse', key: keyOf('reverse', 2) }],
    ['advice of a reverse', '0420', followUp, { kind: 'reverse', key: keyOf('reverse', 2) }],
    ['its repeat', '0421', followUp, { kind: 'reverse', key: keyOf('reverse', 2) }],
    ['reverse without an amount', '0400', { ...followUp, 4: undefined }, { originalAmount: null }],
    [
      'partial reverse',
      '0400',
      { ...followUp, 95: `000000000400${'0'.repeat(30)}` },
      { extent: { by: 'to', amount: 400n } },
    ],
    ['DE95 of zeros', '0400', { ...followUp, 95: '0'.repeat(42) }, { extent: { by: 'all' } }],
    ['the card of a follow-up', '0400', { ...followUp, 2: panOfCard(1) }, { card: token, merchants: [merchant] }],
    ['the card of track 2', '0200', { 2: undefined, 35: `${panOfCard(1)}=30121010000000` }, { card: token }],
    ['the card of track 2', '0200', { 2: undefined, 35: `${panOfCard(1)}D30121010000000` }, { card: token }],
    ['the same card twice', '0200', { 35: `${panOfCard(1)}=30121010000000` }, { card: token }],
    ['a bad check digit is only an unknown card', '0200', { 2: '9364000000000010' }, { kind: 'authorize' }],
  ])('%s: %s', (_name, mti, elements, expected) => {
    expect(commandIn(map(mti, elements))).toMatchObject({ channel: 'terminal', tenant: 1, ...expected })
  })
})

describe('requests that are answered at once', () => {
  test.each<[string, Elements, string, string | null]>([
    // MTI, elements, reason, detail
    ['0800', { 70: '001' }, 'approved', null],
    ['0800', { 70: '002' }, 'approved', null],
    ['0800', { 70: '301' }, 'approved', null],
    ['0800', { 70: '101' }, 'operation_not_allowed', null],
    ['0800', { 70: '201' }, 'operation_not_allowed', null],
    ['0800', { 70: '999' }, 'format_invalid', 'DE70 invalid'],
    ['0800', {}, 'format_invalid', 'DE70 missing'],
    ['0120', {}, 'operation_not_allowed', null],
    ['0121', followUp, 'operation_not_allowed', null],
    ['0220', {}, 'operation_not_allowed', null],
    ['0221', { 90: '0'.repeat(42) }, 'operation_not_allowed', null],
    ['0500', {}, 'processing_code_unsupported', null],
    ['0520', {}, 'processing_code_unsupported', null],
    ['0200', { 3: '010000' }, 'processing_code_unsupported', null],
    ['0100', { 3: '200000' }, 'processing_code_unsupported', null],
    ['0200', { 3: '200000' }, 'original_unknown', null],
    ['0202', {}, 'original_unknown', null],
    ['0400', {}, 'original_unknown', null],
    ['0420', { 90: '0'.repeat(42), 37: ' '.repeat(12) }, 'original_unknown', null],
    ['0600', {}, 'format_invalid', 'MTI unsupported'],
    ['1200', {}, 'format_invalid', 'MTI unsupported'],
    ['0200', { 3: undefined }, 'format_invalid', 'DE3 missing'],
    ['0200', { 3: '00000' }, 'format_invalid', 'DE3 invalid'],
    ['0200', { 4: undefined }, 'format_invalid', 'DE4 missing'],
    ['0200', { 4: '1000' }, 'format_invalid', 'DE4 invalid'],
    ['0200', { 4: '00000000-100' }, 'format_invalid', 'DE4 invalid'],
    ['0202', { ...followUp, 4: '1000' }, 'format_invalid', 'DE4 invalid'],
    ['0200', { 7: undefined }, 'format_invalid', 'DE7 missing'],
    ['0200', { 7: '0231143000' }, 'format_invalid', 'DE7 invalid'],
    ['0200', { 7: '1121246000' }, 'format_invalid', 'DE7 invalid'],
    ['0200', { 11: '00001' }, 'format_invalid', 'DE11 invalid'],
    ['0200', { 41: undefined }, 'format_invalid', 'DE41 missing'],
    ['0200', { 41: '        ' }, 'format_invalid', 'DE41 invalid'],
    ['0200', { 42: undefined }, 'format_invalid', 'DE42 missing'],
    ['0200', { 49: undefined }, 'format_invalid', 'DE49 missing'],
    ['0200', { 49: '36' }, 'format_invalid', 'DE49 invalid'],
    ['0200', { 2: undefined }, 'format_invalid', 'DE2 missing'],
    ['0200', { 2: '93640000000000o1' }, 'format_invalid', 'DE2 invalid'],
    ['0200', { 35: 'no separator' }, 'format_invalid', 'DE35 invalid'],
    ['0200', { 35: `${panOfCard(2)}=3012` }, 'format_invalid', 'DE2 and DE35 differ'],
    ['0200', { 35: `${panOfCard(1)}0=3012` }, 'format_invalid', 'DE2 and DE35 differ'],
    ['0202', { ...followUp, 90: originalElements('0210', '000001', '1121143000') }, 'format_invalid', 'DE90 invalid'],
    ['0202', { ...followUp, 90: originalElements('0200', '00000x', '1121143000') }, 'format_invalid', 'DE90 invalid'],
    ['0202', { ...followUp, 90: originalElements('0200', '000001', '1131143000') }, 'format_invalid', 'DE90 invalid'],
    ['0400', { ...followUp, 95: 'D00000000000' }, 'format_invalid', 'DE95 invalid'],
  ])('%s %o: %s', (mti, elements, reason, detail) => {
    expect(map(mti, elements)).toEqual({ kind: 'answer', reason, detail })
  })

  test('what a terminal is told fits into DE44 and has no digit of a card', () => {
    const mapped = map('0200', { 35: `${panOfCard(2)}=3012` })
    expect(mapped).toMatchObject({ detail: expect.not.stringMatching(/\d{4}/) })
  })
})

describe('originals', () => {
  const original = (over: Elements, given = context) => {
    const command = commandIn(map('0400', { ...followUp, ...over }, given))
    return 'original' in command ? command.original : undefined
  }
  const sentAt = '1121143000'
  test.each<[string, Elements, object]>([
    [
      'a purchase',
      { 90: originalElements('0200', '000001', sentAt) },
      { by: 'key', key: keyOf('open', 1), day: today },
    ],
    ['a repeat', { 90: originalElements('0201', '000001', sentAt) }, { by: 'key', key: keyOf('open', 1), day: today }],
    [
      'a confirm',
      { 90: originalElements('0202', '000007', sentAt) },
      { by: 'key', key: keyOf('confirm', 7), day: today },
    ],
    [
      'an advice',
      { 90: originalElements('0220', '000007', sentAt) },
      { by: 'key', key: keyOf('confirm', 7), day: today },
    ],
    [
      'a reverse',
      { 90: originalElements('0400', '000007', sentAt) },
      { by: 'key', key: keyOf('reverse', 7), day: today },
    ],
    [
      'of yesterday',
      { 90: originalElements('0100', '000001', '1120235959') },
      { by: 'key', key: keyOf('open', 1, 1120235959), day: today - 1 },
    ],
    [
      'without its time',
      { 90: originalElements('0200', '000001', '0'.repeat(10)) },
      { by: 'keyRange', ...terminalKeyRange({ terminal: terminalOne, merchant, step: 'open', stan: 1 }) },
    ],
    ['by its number', { 90: undefined, 37: 'ABC123456789' }, { by: 'rrn', merchant, rrn: 'ABC123456789' }],
    ['DE90 of zeros', { 90: '0'.repeat(42), 37: 'ABC123456789' }, { by: 'rrn', merchant, rrn: 'ABC123456789' }],
    ['DE90 before DE37', { 37: 'ABC123456789' }, { by: 'key', key: keyOf('open', 1), day: today }],
  ])('%s', (_name, elements, expected) => {
    expect(original(elements)).toEqual(expected)
  })

  test('with local identity the time of the original is in DE12 and DE13', () => {
    const times = { 12: '180000', 13: '1120', 7: undefined }
    const opened = commandIn(map('0200', times, local))
    expect(opened).toMatchObject({ key: keyOf('open', 1, 1120180000), day: today - 1 })
    expect(original({ ...times, 90: originalElements('0200', '000001', '1121999999') }, local)).toEqual({
      by: 'key',
      key: opened.key,
      day: today - 1,
    })
    expect(map('0200', { 12: '180000' }, local)).toMatchObject({ detail: 'DE13 missing' })
    expect(map('0200', { 12: '180000', 13: '1340' }, local)).toMatchObject({ detail: 'DE13 invalid' })
  })
})

describe('content', () => {
  test.each<[string, Elements, string]>([
    ['0200', { 4: '000000001001' }, 'DE4'],
    ['0200', { 2: panOfCard(2) }, 'DE2'],
    ['0200', { 3: '001000' }, 'DE3'],
    ['0200', { 49: '840' }, 'DE49'],
    ['0400', { 90: originalElements('0200', '000009', '1121143000') }, 'DE90'],
    ['0400', { 95: `000000000400${'0'.repeat(30)}` }, 'DE95'],
    ['0400', { 4: undefined }, 'DE4'],
  ])('%s with another %o is told apart by its name', (mti, over, name) => {
    const base = mti === '0400' ? followUp : {}
    const one = map(mti, base)
    const other = map(mti, { ...base, ...over })
    if (other.kind !== 'command') throw new Error('answered')
    expect(differingField(commandIn(one).content, other.command.content, other.elements)).toBe(name)
  })

  test.each<[string, string, string, Elements]>([
    ['a repeat', '0200', '0201', {}],
    ['the time of the sale', '0200', '0200', { 12: '101010' }],
    ['the number of the sale', '0200', '0200', { 37: 'ABC123456789' }],
    ['the entry mode', '0200', '0200', { 22: '051' }],
    ['a card from its track', '0200', '0201', { 2: undefined, 35: `${panOfCard(1)}=3012` }],
    ['the repeat of the original', '0400', '0401', { 90: originalElements('0201', '000001', '1121143000') }],
  ])('%s is no other content', (_name, mti, repeat, over) => {
    const base = mti === '0400' ? followUp : {}
    expect(commandIn(map(repeat, { ...base, ...over })).content).toBe(commandIn(map(mti, base)).content)
  })
})
