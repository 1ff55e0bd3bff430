import { describe, expect, test } from 'vitest'
import { type Elements, messageOf, purchaseElements, readDialect } from '../../test/support/terminal.ts'
import type { KeyPlace, OpenKey } from '../crypto/key-ring.ts'
import type { MacMethod } from '../crypto/mac.ts'
import { type Keys, MacGuard } from './mac-guard.ts'

const tdes = Buffer.from('0123456789ABCDEFFEDCBA9876543210', 'hex')
const before = Buffer.from('1023456789ABCDEFFEDCBA9876543201', 'hex')
const aes = Buffer.from('2B7E151628AED2A6ABF7158809CF4F3C', 'hex')

/** A terminal with a triple DES key, one that is retiring, and an AES key; the same for the listener. */
const keys: Keys = {
  find: ({ owner, usage }: KeyPlace): OpenKey[] =>
    usage === 'mac' && (owner === 'terminal:T0000001' || owner === 'listener:one')
      ? [
          { algorithm: 'tdes', key: tdes, settings: null },
          { algorithm: 'tdes', key: before, settings: null },
          { algorithm: 'aes', key: aes, settings: null },
        ]
      : [],
  findBase: () => [],
}

interface Over {
  readonly name?: string
  readonly required?: boolean
  readonly keys?: 'terminal' | 'listener'
}
const guardOf = (method: MacMethod, { name = 'iso87a', required = true, keys: of = 'terminal' }: Over = {}) =>
  new MacGuard(readDialect(name), { method, required, keys: of }, 'one', keys)
const retail: MacMethod = { algorithm: 'retail', padding: 1, bytes: 8 }

const packed = (guard: MacGuard, key: Buffer, elements: Elements = purchaseElements, mti = '0200', name = 'iso87a') => {
  const body = guard.pack(messageOf(mti, elements), key)
  const read = readDialect(name).unpack(body)
  if (!read.ok) throw new Error(read.error.text)
  return { body, message: read.message }
}

const methods: [MacMethod, Buffer][] = [
  [{ algorithm: 'retail', padding: 1, bytes: 8 }, tdes],
  [{ algorithm: 'retail', padding: 2, bytes: 8 }, tdes],
  [{ algorithm: 'retail', padding: 3, bytes: 4 }, tdes],
  [{ algorithm: 'tdes-cbc', padding: 1, bytes: 8 }, tdes],
  [{ algorithm: 'tdes-cbc', padding: 2, bytes: 4 }, tdes],
  [{ algorithm: 'aes-cmac', bytes: 8 }, aes],
  [{ algorithm: 'aes-cmac', bytes: 4 }, aes],
]
describe.each(['iso87a', 'iso87b', 'iso93a', 'iso93b'])('%s', name => {
  test.each(methods)('%o: its own MAC is right, and one bit anywhere makes it wrong', (method, key) => {
    const guard = guardOf(method, { name })
    for (const elements of [purchaseElements, { ...purchaseElements, 102: '1' }]) {
      const { body, message } = packed(guard, key, elements, '0200', name)
      expect(guard.check(message, body, 1)).toEqual({ ok: true, key })
      const wireBytes = readDialect(name).fixedWireBytesOf(64)!
      for (let at = 0; at < body.length - wireBytes; at++) {
        const bent = Buffer.from(body)
        bent[at]! ^= 1
        expect(guard.check(message, bent, 1)).toEqual({ ok: false, fault: 'wrong' })
      }
    }
  })
})

test('the MAC is in DE64, or in DE128 where a later element is present', () => {
  const guard = guardOf(retail)
  expect(packed(guard, tdes).message.fields[64]).toMatch(/^[0-9A-F]{16}$/)
  const later = packed(guard, tdes, { ...purchaseElements, 70: '301' }).message.fields
  expect([later[64], later[128]]).toEqual([undefined, expect.stringMatching(/^[0-9A-F]{16}$/)])
})

test('a retiring key is taken, and its own MAC answers', () => {
  const guard = guardOf(retail)
  const { body, message } = packed(guard, before)
  expect(guard.check(message, body, 1)).toEqual({ ok: true, key: before })
})

const faults: [string, string, Elements, boolean, object][] = [
  ['none', '0200', {}, true, { ok: false, fault: 'missing' }],
  ['none, and none needed', '0200', {}, false, { ok: true, key: null }],
  ['none on an echo', '0800', { 70: '301' }, true, { ok: true, key: null }],
  ['wrong on an echo', '0800', { 70: '301', 128: '0000000000000000' }, true, { ok: false, fault: 'wrong' }],
  ['wrong though none is needed', '0200', { 64: '0000000000000000' }, false, { ok: false, fault: 'wrong' }],
  [
    'in DE64 with an element behind it',
    '0200',
    { 64: '00'.repeat(8), 70: '301' },
    true,
    { ok: false, fault: 'missing' },
  ],
  ['no key', '0200', { 41: 'T0000009', 64: '0000000000000000' }, true, { ok: false, fault: 'no_key' }],
]
test.each(faults)('%s', (_name, mti, over, required, expected) => {
  const message = messageOf(mti, { ...purchaseElements, ...over })
  const body = readDialect('iso87a').pack(message)
  expect(guardOf(retail, { required }).check(message, body, 1)).toEqual(expected)
})

test('a key of the listener serves every terminal', () => {
  const guard = guardOf(retail, { keys: 'listener' })
  const { body, message } = packed(guard, tdes, { ...purchaseElements, 41: 'T0000009' })
  expect(guard.check(message, body, 1)).toMatchObject({ ok: true })
})
