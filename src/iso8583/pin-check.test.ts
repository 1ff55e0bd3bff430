import { expect, test } from 'vitest'
import { type Elements, messageOf, panOfCard, purchaseElements } from '../../test/support/terminal.ts'
import { aesDukptKeys, aesInitialKey } from '../crypto/dukpt-aes.ts'
import { tdesDukptKeys, tdesInitialKey } from '../crypto/dukpt-tdes.ts'
import type { KeyPlace, OpenKey } from '../crypto/key-ring.ts'
import { encipherPin, type PinBlockFormat } from '../crypto/pin-translation.ts'
import { ibm3624Offset, validationDataOf, visaPvv } from '../crypto/pin-verification.ts'
import { PinCheck, type PinData, type PinSettings, type PinSources } from './pin-check.ts'

const pan = panOfCard(1)
const pin = '4711'
const key = Buffer.from('0123456789ABCDEFFEDCBA9876543210', 'hex')
const aesKey = Buffer.from('2B7E151628AED2A6ABF7158809CF4F3C', 'hex')
const tdesKsn = Buffer.from('FFFF9876543210E00008', 'hex')
const aesKsn = Buffer.from('123456789012345600000001', 'hex')
const decimalisation = '0123456789012345'
const settings = JSON.stringify({ decimalisation, start: 0, length: 16, pad: 'F' })
const validationData = validationDataOf(pan, { start: 0, length: 16, pad: 'F' })

const pvv: PinData = { method: 'pvv', keyName: '1', value: visaPvv({ key, keyIndex: '1', pan }, pin) }
const offset: PinData = {
  method: 'ibm3624',
  keyName: '2',
  value: ibm3624Offset({ key, decimalisation, validationData }, pin),
}

const tdes: OpenKey = { algorithm: 'tdes', key, settings: null }
const aes: OpenKey = { algorithm: 'aes', key: aesKey, settings: null }
const held: Readonly<Record<string, OpenKey>> = {
  'terminal:T0000001 pin ': tdes,
  'listener:one pin ': aes,
  'tenant pvv 1': tdes,
  'tenant ibm3624 2': { ...tdes, settings },
}
const keys = {
  find: ({ owner, usage, name }: KeyPlace) => {
    const one = held[`${owner} ${usage} ${name}`]
    return one === undefined ? [] : [one]
  },
  findBase: (_tenant: number, owner: string, device: string) => {
    if (owner !== 'tenant') return []
    return device.startsWith('FFFF98') ? [tdes] : device.startsWith('12345678') ? [aes] : []
  },
}

const checkOf = (over: Partial<PinSettings>, sources: Partial<PinSources> = {}) =>
  new PinCheck({ keys: 'terminal', format: 0, element: 52, ksnElement: 62, required: false, ...over }, 'one', keys, {
    pinDataOf: async () => pvv,
    takeCounter: async () => true,
    ...sources,
  })
const ask = (check: PinCheck, elements: Elements) =>
  check.verdictOf({
    message: messageOf('0200', { ...purchaseElements, ...elements }),
    tenant: 1,
    pan,
    token: '',
    request: '',
  })
const block = (format: PinBlockFormat, under: Buffer, entered = pin, of = pan): string =>
  encipherPin({ format, key: under }, entered, of).toString('hex').toUpperCase()

const tdesPin = tdesDukptKeys(tdesInitialKey(key, tdesKsn), tdesKsn).pin
const aesInitial = aesInitialKey(aesKey, aesKsn.subarray(0, 8))
const serial = (ksn: Buffer) => ksn.toString('hex').toUpperCase()

const verdicts: [string, Partial<PinSettings>, Elements, PinData | null, string][] = [
  // name, settings, elements, what is stored, verdict
  ['format 0, PVV', {}, { 52: block(0, key) }, pvv, 'verified'],
  ['format 0, IBM 3624', {}, { 52: block(0, key) }, offset, 'verified'],
  ['format 1', { format: 1 }, { 52: block(1, key) }, pvv, 'verified'],
  ['format 3', { format: 3 }, { 52: block(3, key) }, pvv, 'verified'],
  ['format 4, zone key', { keys: 'listener', format: 4 }, { 52: block(4, aesKey) }, pvv, 'verified'],
  ['wrong PIN, PVV', {}, { 52: block(0, key, '1234') }, pvv, 'wrong'],
  ['wrong PIN, IBM 3624', {}, { 52: block(0, key, '1234') }, offset, 'wrong'],
  ['longer PIN, IBM 3624', {}, { 52: block(0, key, '47110') }, offset, 'wrong'],
  ['of another card', {}, { 52: block(0, key, pin, panOfCard(2)) }, pvv, 'unverifiable'],
  ['another format', { format: 3 }, { 52: block(0, key) }, pvv, 'unverifiable'],
  ['another key', {}, { 52: block(0, aesKey) }, pvv, 'unverifiable'],
  ['no key', {}, { 41: 'T0000009', 52: block(0, key) }, pvv, 'unverifiable'],
  ['nothing stored', {}, { 52: block(0, key) }, null, 'unverifiable'],
  ['no such verification key', {}, { 52: block(0, key) }, { ...pvv, keyName: '9' }, 'unverifiable'],
  ['DUKPT', { keys: 'dukpt-tdes' }, { 52: block(0, tdesPin), 62: serial(tdesKsn) }, pvv, 'verified'],
  ['DUKPT without a serial number', { keys: 'dukpt-tdes' }, { 52: block(0, tdesPin) }, pvv, 'unverifiable'],
  [
    'DUKPT, no base key',
    { keys: 'dukpt-tdes' },
    { 52: block(0, tdesPin), 62: `00${'1'.repeat(18)}` },
    pvv,
    'unverifiable',
  ],
  ['DUKPT, odd digits', { keys: 'dukpt-tdes' }, { 52: block(0, tdesPin), 62: 'FFF' }, pvv, 'unverifiable'],
  [
    'AES DUKPT, format 4',
    { keys: 'dukpt-aes', format: 4 },
    { 52: block(4, aesDukptKeys(aesInitial, aesKsn, 'aes-128').pin), 62: serial(aesKsn) },
    pvv,
    'verified',
  ],
  [
    'AES DUKPT, format 0',
    { keys: 'dukpt-aes' },
    { 52: block(0, aesDukptKeys(aesInitial, aesKsn, '2tdea').pin), 62: serial(aesKsn) },
    pvv,
    'verified',
  ],
]
test.each(verdicts)('%s', async (_name, over, elements, stored, verdict) => {
  expect(await ask(checkOf(over, { pinDataOf: async () => stored }), elements)).toBe(verdict)
})

test('a counter that was used before is a replay, right PIN or wrong', async () => {
  const check = checkOf({ keys: 'dukpt-tdes' }, { takeCounter: async () => false })
  for (const entered of [pin, '1234']) {
    expect(await ask(check, { 52: block(0, tdesPin, entered), 62: serial(tdesKsn) })).toBe('replayed')
  }
})

test('a block that cannot be read moves no counter', async () => {
  const taken: number[] = []
  const takeCounter: PinSources['takeCounter'] = async ({ counter }) => taken.push(counter) > 0
  const check = checkOf({ keys: 'dukpt-tdes' }, { takeCounter })
  expect(await ask(check, { 52: 'FEDCBA9876543210', 62: serial(tdesKsn) })).toBe('unverifiable')
  expect(taken).toEqual([])
  await ask(check, { 52: block(0, tdesPin), 62: serial(tdesKsn) })
  expect(taken).toEqual([8])
})
