import { describe, expect, test } from 'vitest'
import { padded } from '../../test/support/codec.ts'
import { compileDialect } from './dialect.ts'
import type { CodecErrorCode } from './errors.ts'
import { maskMessage } from './mask.ts'
import { type Composite, newMessage } from './message.ts'

const text = (length: number, more: object = {}) => ({ name: 'Text', type: 'ans', length, mask: 'clear', ...more })
const number = (length: number, more: object = {}) => ({ name: 'Number', type: 'n', length, mask: 'clear', ...more })

const dialect = compileDialect({
  name: 'composites',
  mti: { encoding: 'ascii' },
  bitmap: { encoding: 'hex', bytesMax: 16 },
  encodings: { number: 'ascii', text: 'ascii', track: 'ascii', binary: 'binary', prefix: 'ascii' },
  fields: {
    3: number(6, { children: { kind: 'positional', fields: { type: number(2), from: number(2), to: number(2) } } }),
    43: text(40, {
      prefix: 2,
      children: { kind: 'positional', fields: { street: text(9, { prefix: 1 }), city: text(4) } },
    }),
    48: text(99, {
      prefix: 2,
      children: {
        kind: 'tag-length',
        tag: { encoding: 'ascii', width: 2 },
        prefix: 3,
        fields: { '01': number(4), '02': text(10) },
      },
    }),
    54: {
      name: 'Binary tags',
      type: 'b',
      length: 30,
      prefix: 2,
      children: {
        kind: 'tag-length',
        tag: { encoding: 'binary', width: 2 },
        prefix: { width: 1, encoding: 'binary' },
      },
    },
    55: {
      name: 'ICC data',
      type: 'b',
      length: 200,
      prefix: 3,
      children: {
        kind: 'ber-tlv',
        fields: { '5A': { name: 'PAN', type: 'n', encoding: 'bcd', length: 10, unit: 'bytes', mask: 'pan' } },
      },
    },
    56: { name: 'ICC data as text', type: 'b', encoding: 'hex', length: 20, prefix: 3, children: { kind: 'ber-tlv' } },
    127: {
      name: 'Private',
      type: 'b',
      length: 999999,
      prefix: 6,
      children: {
        kind: 'bitmap',
        bitmap: { encoding: 'binary' },
        fields: {
          1: text(1),
          2: text(9, { prefix: 1 }),
          25: {
            name: 'Nested',
            type: 'b',
            length: 99,
            prefix: 2,
            children: {
              kind: 'bitmap',
              headerBytes: 1,
              bitmap: { encoding: 'hex', bytes: 1 },
              fields: {
                2: text(2),
                8: { name: 'ICC', type: 'b', length: 20, prefix: 2, children: { kind: 'ber-tlv' } },
              },
            },
          },
        },
      },
    },
  },
})

const map = (entries: Record<string, string | Composite>): Composite => new Map(Object.entries(entries))
/** `'82=3C00'`, in this order: the keys of an object that look like numbers would come first. */
const tags = (...entries: string[]): Composite => new Map(entries.map(each => each.split('=') as [string, string]))

/** DE number, children, and the field's bytes as Latin-1 text or, after `hex:`, as hexadecimal. */
const cases: [string, number, Composite, string][] = [
  ['positional', 3, map({ type: '00', from: '20', to: '10' }), '002010'],
  ['positional with a prefix within', 43, map({ street: 'Chahar', city: 'Su 1' }), '116ChaharSu 1'],
  ['positional, the last one missing', 43, map({ street: 'Chahar' }), '076Chahar'],
  ['tags with lengths', 48, tags('02=abc', '01=1234'), '1702003abc010041234'],
  ['a tag that has no format is kept', 48, tags('ZZ=a\x1cb'), '08ZZ003a\x1cb'],
  ['binary tags', 54, tags('DF01=0A0B', '0002='), 'hex:3038df01020a0b000200'],
  [
    'EMV objects in their order',
    55,
    tags('9F26=571F1E10D4FA4AAC', '95=0080001000', '5A=9364000000000017'),
    'hex:303238' + '9f2608571f1e10d4fa4aac' + '95050080001000' + '5a089364000000000017',
  ],
  ['a long EMV object', 55, map({ DF8129: 'AB'.repeat(130) }), `hex:313335df81298182${'ab'.repeat(130)}`],
  ['EMV objects as text', 56, tags('9C=00', '82=3C00'), '0079C010082023C00'],
  ['a bitmap within', 127, map({ 1: 'x', 2: 'ab' }), '000012\xc0\0\0\0\0\0\0\0x2ab'],
  [
    'three levels',
    127,
    map({ 25: map({ header: 'F1', 2: 'ok', 8: map({ '9C': '01' }) }) }),
    '000020' + '\0\0\0\x80\0\0\0\0' + '10' + '\xf141ok03' + '\x9c\x01\x01',
  ],
]

const wireBytes = (wire: string) =>
  wire.startsWith('hex:') ? Buffer.from(wire.slice(4), 'hex') : Buffer.from(wire, 'latin1')

function messageBytes(number: number, wire: string) {
  const bits = Buffer.alloc(number > 64 ? 16 : 8)
  if (number > 64) bits[0] = 0x80
  bits[(number - 1) >> 3]! |= 0x80 >> ((number - 1) & 7)
  return Buffer.concat([Buffer.from(`0200${bits.toString('hex').toUpperCase()}`), wireBytes(wire)])
}

describe('children', () => {
  test.each(cases)('%s', (_name, number, composite, wire) => {
    const message = newMessage('0200')
    message.composites = new Map([[number, composite]])
    const bytes = messageBytes(number, wire)
    expect(dialect.pack(message).toString('latin1')).toBe(bytes.toString('latin1'))
    const result = dialect.unpack(bytes)
    expect(padded(result)).toEqual({ ok: true, message })
    expect([...(result.message.composites?.get(number)?.keys() ?? [])]).toEqual([...composite.keys()])
    expect(dialect.scan(bytes, [number]).message.composites?.get(number)).toEqual(composite)
    expect(dialect.scan(bytes, [128])).toMatchObject({ ok: true })
  })

  test('zero bytes between EMV objects are passed over', () => {
    const result = dialect.unpack(messageBytes(55, 'hex:303035009c010000'))
    expect(result.message.composites).toEqual(new Map([[55, map({ '9C': '00' })]]))
  })

  test.each([
    // name,                           DE,  wire,                      path,        offset, code
    ['a letter in a number', 3, '00X010', '3.from', 22, 'bad_character'],
    ['a child cut off by its parent', 43, '0292', '43.street', 23, 'truncated'],
    ['a parent cut off', 43, '0391', '43', 22, 'truncated'],
    ['a length beyond the parent', 43, '025X', '43.street', 23, 'truncated'],
    ['bytes after the last child', 43, '081aSu 1xy', '43', 28, 'trailing_bytes'],
    ['a tag cut off', 48, '01Z', '48', 22, 'truncated'],
    ['a length that is none', 48, '05ZZ0x1', '48.ZZ', 24, 'bad_length'],
    ['the same tag twice', 48, '10ZZ000ZZ000', '48.ZZ', 27, 'duplicate_tag'],
    ['too long for its format', 48, '1001005123456', '48.01', 24, 'too_long'],
    ['an EMV tag without end', 55, 'hex:3030329f81', '55', 23, 'bad_tag'],
    ['an EMV tag without length', 55, 'hex:3030329f26', '55.9F26', 25, 'truncated'],
    ['an indefinite EMV length', 55, 'hex:3030329c80', '55.9C', 24, 'bad_length'],
    ['an EMV length of five bytes', 55, 'hex:3030379c850000000001', '55.9C', 24, 'bad_length'],
    ['an EMV object cut off', 55, 'hex:3030339c0200', '55.9C', 25, 'truncated'],
    ['the offset within text is that of the text', 56, '0039C0200', '56.9C', 27, 'truncated'],
    ['text that is none', 56, '0039C01XX', '56', 27, 'bad_character'],
    ['a bit without a field', 127, 'hex:3030303030380400000000000000', '127.6', 50, 'undefined_field'],
    ['a bitmap cut off', 127, 'hex:30303030303200ff', '127.bitmap', 42, 'truncated'],
    [
      'at the third level',
      127,
      '000017' + '\0\0\0\x80\0\0\0\0' + '07' + '\xf10102' + '\x9c\x01',
      '127.25.8.9C',
      59,
      'truncated',
    ],
  ] as [string, number, string, string, number, CodecErrorCode][])('%s', (_name, number, wire, path, offset, code) => {
    expect(dialect.unpack(messageBytes(number, wire))).toMatchObject({ ok: false, error: { path, offset, code } })
  })

  test.each([
    // name,                    DE, children,                                        path,   code
    ['text for a composite', 3, '002010', '3', 'not_composite'],
    ['too short for a fixed parent', 3, map({ type: '00', from: '20' }), '3', 'too_short'],
    ['a gap', 3, map({ type: '00', to: '10' }), '3.from', 'missing_child'],
    ['an unknown position', 3, map({ type: '00', from: '20', to: '10', via: '00' }), '3.via', 'undefined_field'],
    ['a bad child', 43, map({ street: 'Bazaar \n' }), '43.street', 'bad_character'],
    ['too long for its parent', 55, map({ DF01: '00'.repeat(250) }), '55', 'too_long'],
    ['too long for everything', 56, map({ DF01: '00'.repeat(2_000_000) }), '56', 'too_long'],
    ['no tag at all', 55, tags('=00'), '55', 'bad_tag'],
    ['a tag in lower case', 55, tags('9f26=00'), '55.9f26', 'bad_tag'],
    ['half a tag', 55, tags('9F=00'), '55.9F', 'bad_tag'],
    ['a tag of another width', 48, tags('1=a'), '48.1', 'bad_tag'],
    ['an unknown bit', 127, map({ 3: 'a' }), '127.3', 'undefined_field'],
    ['a bit that is no number', 127, map({ x: 'a' }), '127.x', 'undefined_field'],
    ['no header where there must be one', 127, map({ 25: map({ 2: 'ok' }) }), '127.25.header', 'too_short'],
  ] as [string, number, string | Composite, string, CodecErrorCode][])(
    'pack refuses: %s',
    (_n, number, value, path, code) => {
      const message = newMessage('0200')
      if (typeof value === 'string') message.fields[number] = value
      else message.composites = new Map([[number, value]])
      expect(() => dialect.pack(message)).toThrow(expect.objectContaining({ path, code }))
    },
  )

  test('are masked by their own class', () => {
    const message = newMessage('0200')
    message.composites = new Map([
      [3, map({ type: '00' })],
      [55, tags('5A=9364000000000017', '57=9364000000000017D3012')],
    ])
    message.fields[43] = 'a composite given as text'
    expect([...maskMessage(dialect.format, message)]).toEqual([
      ['mti', '0200'],
      ['3.type', '00'],
      ['43', '****'],
      ['55.5A', '936400******0017'],
      ['55.57', '****'],
    ])
  })
})
