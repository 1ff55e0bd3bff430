import { createSecretKey, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { encryptStoredKey } from './key-encryption.ts'
import { bindingOf, KeyRing, type StoredKey } from './key-ring.ts'

const keyEncryptionKey = createSecretKey(randomBytes(32))
const place = { tenant: 1, owner: 'terminal:T1', usage: 'mac', name: '' } as const
let now = 1_000
const unreadable: number[] = []
const ringOf = (rows: readonly StoredKey[]) => {
  const ring = new KeyRing(
    keyEncryptionKey,
    () => now,
    id => unreadable.push(id),
  )
  ring.apply(rows)
  return ring
}

function row(id: number, key: Buffer, over: Partial<StoredKey> = {}): StoredKey {
  const whole = { ...place, id, algorithm: 'tdes', status: 'active', until: null, settings: null, ...over } as const
  const secret = encryptStoredKey(keyEncryptionKey, key, bindingOf(whole, 'tdes'))
  return { checkValue: '000000', secret, ...whole }
}

test('the active key first, then the one that retires, until its time', () => {
  const [old, fresh] = [randomBytes(16), randomBytes(16)]
  const ring = ringOf([row(1, old), row(2, fresh)])
  ring.apply([{ ...row(1, old), status: 'retiring', until: 2_000 }])
  expect(ring.find(place).map(({ key }) => key)).toEqual([fresh, old])
  now = 2_000
  expect(ring.find(place).map(({ key }) => key)).toEqual([fresh])
  ring.apply([{ ...row(2, fresh), status: 'retired', secret: null }])
  expect(ring.find(place)).toEqual([])
})

test('a key of one owner, usage or tenant is not that of another', () => {
  const ring = ringOf([row(1, randomBytes(16))])
  for (const over of [{ owner: 'terminal:T2' }, { usage: 'pin' as const }, { tenant: 2 }]) {
    expect(ring.find({ ...place, ...over })).toEqual([])
  }
})

test('a row that was moved does not open, and that is told once', () => {
  const moved = { ...row(7, randomBytes(16)), owner: 'terminal:T9' }
  const ring = ringOf([moved])
  for (let times = 0; times < 2; times++) expect(ring.find({ ...place, owner: 'terminal:T9' })).toEqual([])
  expect(unreadable).toEqual([7])
})

test('a base key by the longest name that the serial number starts with', () => {
  const [short, long] = [randomBytes(16), randomBytes(16)]
  const base = { owner: 'tenant', usage: 'dukpt' } as const
  const ring = ringOf([row(1, short, { ...base, name: 'FFFF98' }), row(2, long, { ...base, name: 'FFFF9876' })])
  expect(ring.findBase(1, 'tenant', 'FFFF9876543210E00000')[0]?.key).toEqual(long)
  expect(ring.findBase(1, 'tenant', 'FFFF9811111111E00000')[0]?.key).toEqual(short)
  expect(ring.findBase(1, 'tenant', 'AAAA9811111111E00000')).toEqual([])
})
