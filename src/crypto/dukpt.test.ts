import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { aesCbcEncrypt, tdesCbcEncrypt } from './block-ciphers.ts'
import { aesCmac } from './cmac.ts'
import {
  type AesDukptKeyType,
  aesDukptKeys,
  aesInitialKey,
  aesTransactionKey,
  aesWorkingKey,
  nextAesKsn,
  readAesKsn,
} from './dukpt-aes.ts'
import { nextTdesKsn, readTdesKsn, tdesDukptKeys, tdesInitialKey, tdesTransactionKey } from './dukpt-tdes.ts'
import { retailMac } from './mac.ts'
import { decipherPinBlock4, encipherPinBlock4 } from './pin-block-aes.ts'
import { decipherPin, encipherPin } from './pin-translation.ts'
import vectors from './vectors/dukpt.json' with { type: 'json' }

const hex = (text: string) => Buffer.from(text, 'hex')
const toHex = (bytes: Buffer) => bytes.toString('hex').toUpperCase()
const filledTo = (blockBytes: number, text: string) => {
  const data = Buffer.alloc(Math.ceil(text.length / blockBytes) * blockBytes)
  data.write(text, 'latin1')
  return data
}

describe('DUKPT with triple DES', () => {
  const { bdk, ipek, ipekKsn, fullSequences, pinOnly, sequences } = vectors.tdes
  const initialKey = hex(ipek)

  test('the initial key, whatever the counter', () => {
    expect(toHex(tdesInitialKey(hex(bdk), hex(ipekKsn)))).toBe(ipek)
    expect(toHex(tdesInitialKey(hex(bdk), hex('FFFF9876543210EFFC00')))).toBe(ipek)
  })

  test.each(fullSequences.vectors)('all working keys of $ksn', row => {
    const keys = tdesDukptKeys(initialKey, hex(row.ksn))
    const pin = { format: 0, key: keys.pin } as const
    const data = filledTo(8, row.dataAscii)
    const macData = Buffer.from(row.dataAscii, 'latin1')
    expect(toHex(tdesTransactionKey(initialKey, hex(row.ksn)))).toBe(row.currentKey)
    expect(toHex(encipherPin(pin, row.pin, row.pan))).toBe(row.encryptedPin)
    expect(decipherPin(pin, hex(row.encryptedPin), row.pan)).toBe(row.pin)
    expect(toHex(tdesCbcEncrypt(keys.dataRequest, Buffer.alloc(8), data))).toBe(row.dataRequestEnc)
    expect(toHex(tdesCbcEncrypt(keys.dataResponse, Buffer.alloc(8), data))).toBe(row.dataResponseEnc)
    expect(toHex(retailMac(keys.macRequest, macData, 1))).toBe(row.macRequest)
    expect(toHex(retailMac(keys.macResponse, macData, 1))).toBe(row.macResponse)
  })

  test.each(pinOnly.vectors)('the PIN of $ksn', ({ ksn, pin, pan, encryptedPin, currentKey }) => {
    const key = tdesInitialKey(hex(bdk), hex(ksn))
    expect(toHex(tdesTransactionKey(key, hex(ksn)))).toBe(currentKey)
    expect(decipherPin({ format: 0, key: tdesDukptKeys(key, hex(ksn)).pin }, hex(encryptedPin), pan)).toBe(pin)
  })

  test.each([
    ['initial', ipekKsn, sequences.initial],
    ['rollover', 'FFFF9876543210EFF600', sequences.rollover],
  ])('the %s sequence, each KSN from the one before', (_name, start, rows) => {
    let ksn: Buffer = hex(start)
    for (const row of rows) {
      ksn = nextTdesKsn(ksn)!
      expect(toHex(ksn)).toBe(row.ksn)
      expect(toHex(tdesTransactionKey(initialKey, ksn))).toBe(row.key)
      const pin = { format: 0, key: tdesDukptKeys(initialKey, ksn).pin } as const
      expect(toHex(encipherPin(pin, sequences.pin, sequences.pan))).toBe(row.pinBlock)
    }
  })

  test('a KSN in parts', () => {
    expect(readTdesKsn(hex('FFFF9876543210EFFC00'))).toEqual({ initialKeyId: ipekKsn, counter: 0xffc00 })
  })

  test.each([
    ['counter zero', 'FFFF9876543210E00000'],
    ['eleven one bits', 'FFFF9876543210E007FF'],
    ['nine bytes', 'FF9876543210E00001'],
    ['eleven bytes', 'FFFFFF9876543210E00001'],
  ])('refused: %s', (_name, ksn) => {
    expect(() => readTdesKsn(hex(ksn))).toThrow(expect.objectContaining({ code: 'ksn' }))
    expect(() => tdesDukptKeys(initialKey, hex(ksn))).toThrow(expect.objectContaining({ code: 'ksn' }))
  })

  test('a terminal is used up after the last counter', () => {
    expect(nextTdesKsn(hex('FFFF9876543210FFF800'))).toBeNull()
  })

  test.each([15, 17, 24])('a key of %i bytes is refused', length => {
    const key = Buffer.alloc(length)
    expect(() => tdesInitialKey(key, hex(ipekKsn))).toThrow(expect.objectContaining({ code: 'key_length' }))
    expect(() => tdesDukptKeys(key, hex('FFFF9876543210E00001'))).toThrow(
      expect.objectContaining({ code: 'key_length' }),
    )
  })
})

describe('DUKPT with AES', () => {
  const { aes128, aes128More, aes256, aesRecomputed } = vectors
  const initialKey128 = hex(aes128.ik)
  const initialKey256 = hex(aes256.ik)

  test('the initial keys', () => {
    expect(toHex(aesInitialKey(hex(aes128.bdk), hex(aes128.initialKeyId)))).toBe(aes128.ik)
    expect(toHex(aesInitialKey(hex(aes256.bdk), hex(aes256.initialKeyId)))).toBe(aes256.ik)
    expect(toHex(aesInitialKey(hex(aesRecomputed.bdk192), hex(aes128.initialKeyId)))).toBe(aesRecomputed.ik192)
  })

  test.each(aes128.vectors)('all working keys of $ksn', row => {
    const ksn = hex(row.ksn)
    const keys = aesDukptKeys(initialKey128, ksn, 'aes-128')
    const hmacKeys = aesDukptKeys(initialKey128, ksn, 'hmac-128')
    const text = Buffer.from(row.dataAscii, 'latin1')
    const hmac = (key: Buffer) => toHex(createHmac('sha256', key).update(text).digest())
    const cbc = (key: Buffer) => toHex(aesCbcEncrypt(key, Buffer.alloc(16), filledTo(16, row.dataAscii)))
    expect(toHex(aesTransactionKey(initialKey128, ksn))).toBe(row.currentKey)
    expect(toHex(aesCmac(keys.macRequest, text))).toBe(row.cmacRequest)
    expect(toHex(aesCmac(keys.macResponse, text))).toBe(row.cmacResponse)
    expect(hmac(hmacKeys.macRequest)).toBe(row.hmacSha256Request)
    expect(hmac(hmacKeys.macResponse)).toBe(row.hmacSha256Response)
    expect(cbc(keys.dataRequest)).toBe(row.dataRequestEnc)
    expect(cbc(keys.dataResponse)).toBe(row.dataResponseEnc)
  })

  test.each([
    ...aes128More.transaction.map(row => ({ initialKey: initialKey128, ...row })),
    ...aes256.transaction.map(row => ({ initialKey: initialKey256, ...row })),
  ])('the transaction key of $ksn: $key', ({ initialKey, ksn, key }) => {
    expect(toHex(aesTransactionKey(initialKey, hex(ksn)))).toBe(key)
  })

  test.each([
    ...aes128More.working.map(row => ({ initialKey: initialKey128, type: 'aes-128', ...row })),
    ...aes256.working.map(row => ({ initialKey: initialKey256, ...row })),
    ...aesRecomputed.working.map(({ base, ...row }) => ({
      initialKey: base === 'aes-128' ? initialKey128 : hex(aesRecomputed.ik192),
      ...row,
    })),
  ])('the $type keys of $ksn: PIN $pin', ({ initialKey, type, ksn, pin, macRequest, dataRequest }) => {
    const keys = aesDukptKeys(initialKey, hex(ksn), type as AesDukptKeyType)
    expect(toHex(keys.pin)).toBe(pin)
    expect(toHex(keys.macRequest)).toBe(macRequest)
    expect(toHex(keys.dataRequest)).toBe(dataRequest)
  })

  test.each(aes128More.pinBlocks.vectors)('the PIN block of $ksn', ({ ksn, block }) => {
    const { pin, pan, random } = aes128More.pinBlocks
    const key = aesWorkingKey(initialKey128, hex(ksn), 'pin', 'aes-128')
    expect(toHex(encipherPinBlock4(key, pin, pan, () => hex(random)))).toBe(block)
    expect(decipherPinBlock4(key, hex(block), pan)).toBe(pin)
  })

  test.each([
    // type,    bytes
    ['2tdea', 16],
    ['3tdea', 24],
    ['aes-192', 24],
    ['aes-256', 32],
    ['hmac-192', 24],
    ['hmac-256', 32],
  ] as const)('%s keys have %i bytes and are each another', (type, bytes) => {
    const ksn = hex('123456789012345600000001')
    const keys = [...Object.values(aesDukptKeys(initialKey256, ksn, type))]
    keys.push(aesWorkingKey(initialKey256, ksn, 'macBoth', type), aesWorkingKey(initialKey256, ksn, 'dataBoth', type))
    expect(keys.map(({ length }) => length)).toEqual(keys.map(() => bytes))
    expect(new Set(keys.map(toHex)).size).toBe(keys.length)
  })

  test.each(['aes-192', 'aes-256', 'hmac-256'] as const)('an initial key of 128 bits gives no %s', type => {
    const derive = () => aesWorkingKey(initialKey128, hex('123456789012345600000001'), 'pin', type)
    expect(derive).toThrow(expect.objectContaining({ code: 'key_strength' }))
  })

  test('a KSN in parts, beyond 31 bits', () => {
    const ksn = readAesKsn(hex('1234567890123456FFFF0000'))
    expect(ksn).toEqual({ initialKeyId: '1234567890123456', counter: 0xffff0000 })
  })

  test.each([
    ['counter zero', '123456789012345600000000'],
    ['seventeen one bits', '12345678901234560001FFFF'],
    ['eleven bytes', '1234567890123400000001'],
    ['ten bytes', 'FFFF9876543210E00001'],
  ])('refused: %s', (_name, ksn) => {
    expect(() => readAesKsn(hex(ksn))).toThrow(expect.objectContaining({ code: 'ksn' }))
    expect(() => aesTransactionKey(initialKey128, hex(ksn))).toThrow(expect.objectContaining({ code: 'ksn' }))
  })

  test.each([
    ['123456789012345600000000', '123456789012345600000001'],
    ['12345678901234560001FFFE', '123456789012345600020000'],
    ['1234567890123456FFFE8000', '1234567890123456FFFF0000'],
    ['1234567890123456FFFF0000', null],
  ])('after %s comes %s', (ksn, next) => {
    const found = nextAesKsn(hex(ksn))
    expect(found === null ? null : toHex(found)).toBe(next)
  })
})

test('a terminal that goes on from KSN to KSN never meets one that is refused, and never goes back', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0x1ff000 }), start => {
      let ksn: Buffer | null = hex('FFFF9876543210E00000')
      ksn.writeUIntBE(0xe00000 + start, 7, 3)
      let last = start
      // The start itself may have too many one bits; from there on none has.
      for (let step = 0; step < 20; step++) {
        ksn = nextTdesKsn(ksn)
        if (ksn === null) break
        const raw = ksn.readUIntBE(7, 3) & 0x1fffff
        expect(raw).toBeGreaterThan(last)
        last = raw
        if (step > 10) expect(readTdesKsn(ksn).counter).toBe(raw)
      }
    }),
  )
})
