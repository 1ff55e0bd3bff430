import { describe, expect, test } from 'vitest'
import { padded } from '../../test/support/codec.ts'
import { compileDialect } from './dialect.ts'
import { importDialect } from './import-dialect.ts'
import { importMoov } from './import-moov.ts'
import { type Composite, newMessage } from './message.ts'
import vectors from './vectors/messages.json' with { type: 'json' }

const fixed = (type: string, length: number, enc = 'ASCII', more = {}) => ({
  type,
  length,
  description: type,
  enc,
  prefix: `${enc === 'HexToASCII' ? 'Hex' : enc}.Fixed`,
  ...more,
})
const front = { 0: fixed('String', 4), 1: fixed('Bitmap', 8, 'Binary') }
const specification = (fields: object, more: object = {}) =>
  compileDialect(importMoov({ name: 'Test', fields: { ...front, ...fields }, ...more }, 'test'))

/** The bytes of DE2 and its value read back. */
function roundTrip(field: object, value: string | Composite) {
  const dialect = specification({ 2: field })
  const message = newMessage('0200')
  if (typeof value === 'string') message.fields[2] = value
  else message.composites = new Map([[2, value]])
  const bytes = dialect.pack(message)
  expect(padded(dialect.unpack(bytes))).toEqual({ ok: true, message })
  return bytes.toString('hex').slice(24)
}

describe('a field', () => {
  const variable = (type: string, enc: string, prefix: string, length = 19) => ({ ...fixed(type, length, enc), prefix })

  test.each([
    ['ASCII.LL', variable('String', 'ASCII', 'ASCII.LL'), 'ab', '30326162'],
    ['BCD.LL is one byte and counts digits', variable('Numeric', 'BCD', 'BCD.LL'), '123', '030123'],
    ['BCD.LLL is two', variable('Numeric', 'BCD', 'BCD.LLL', 999), '1234', '00041234'],
    ['LBCD has its digits at the left', variable('Numeric', 'LBCD', 'BCD.LL'), '123', '031230'],
    ['Binary.LL is two bytes', variable('Binary', 'Binary', 'Binary.LL'), 'AABB', '0002aabb'],
    [
      'Hex.L is a byte in two digits',
      variable('String', 'ASCII', 'Hex.L', 200),
      'a'.repeat(30),
      `3145${'61'.repeat(30)}`,
    ],
    ['EBCDIC is code page 037', variable('String', 'EBCDIC', 'EBCDIC.LLL', 999), '[', 'f0f0f1ba'],
    ['EBCDIC1047', variable('String', 'EBCDIC1047', 'EBCDIC1047.L', 9), '[', 'f1ad'],
    ['HexToASCII', fixed('Binary', 2, 'HexToASCII'), 'AABB', '41414242'],
    ['ASCIIToHex', { ...fixed('Hex', 2, 'ASCIIToHex'), prefix: 'Binary.Fixed' }, 'AABB', 'aabb'],
    ['Track2 in BCD', variable('Track2', 'BCD', 'BCD.LL', 37), '12=34', '05012d34'],
  ])('%s', (_name, field, value, hex) => {
    expect(roundTrip(field, value)).toBe(hex)
  })

  test('padding is what the specification says, and nothing else', () => {
    const dialect = specification({
      3: fixed('Numeric', 6, 'ASCII', { padding: { type: 'Left', pad: '0' } }),
      4: fixed('String', 4, 'ASCII', { padding: { type: 'Right', pad: ' ' } }),
      5: fixed('String', 4),
    })
    const message = newMessage('0200')
    message.fields[3] = '12'
    message.fields[4] = 'a'
    expect(dialect.pack(message).toString('latin1').slice(12)).toBe('000012a   ')
    message.fields[5] = 'a'
    expect(() => dialect.pack(message)).toThrow('5: too_short')
  })
})

describe('composites', () => {
  const composite = (more: object, prefix = 'ASCII.LLL') => ({
    type: 'Composite',
    length: 255,
    description: 'Composite',
    prefix,
    ...more,
  })
  const text = (length: number, prefix = 'ASCII.Fixed') => ({ ...fixed('String', length), prefix })

  test('one after the other, by number', () => {
    const field = composite({ subfields: { 10: text(2), 2: text(1) }, tag: { sort: 'StringsByInt' } })
    expect(
      roundTrip(
        field,
        new Map([
          ['2', 'a'],
          ['10', 'bc'],
        ]),
      ),
    ).toBe('303033616263')
  })

  test('tags, padded, with lengths and without', () => {
    const tag = { length: 3, enc: 'ASCII', padding: { type: 'Left', pad: '0' }, sort: 'StringsByInt' }
    const common = composite({ tag, subfields: { 1: text(9, 'ASCII.LL'), 12: text(9, 'ASCII.LL') } })
    expect(
      roundTrip(
        common,
        new Map([
          ['12', 'a'],
          ['1', ''],
        ]),
      ),
    ).toBe('303131303132303161' + '3030313030')
    const mixed = composite({ tag, subfields: { 1: text(2), 12: text(9, 'ASCII.LL') } })
    expect(
      roundTrip(
        mixed,
        new Map([
          ['1', 'ab'],
          ['12', 'c'],
        ]),
      ),
    ).toBe('303131' + '3030316162' + '303132303163')
    const unknown = specification({ 2: mixed }).unpack(
      Buffer.from('30323030400000000000000030303537373761' + '62', 'hex'),
    )
    expect(unknown).toMatchObject({ ok: false, error: { path: '2.777', code: 'undefined_field', offset: 15 } })
  })

  test('BER-TLV', () => {
    const field = composite({
      tag: { enc: 'BerTLVTag', sort: 'StringsByHex' },
      subfields: {
        '9F02': { type: 'Numeric', description: 'Amount', enc: 'BCD', prefix: 'BerTLV', length: 12 },
        '82': { type: 'Binary', description: 'AIP', enc: 'Binary', prefix: 'BerTLV' },
      },
    })
    const value: Composite = new Map([
      ['9F02', '000000001000'],
      ['82', '5C00'],
      ['9F26', 'AA'],
    ])
    expect(() => roundTrip(field, value)).not.toThrow()
  })

  test('a bitmap of its own, whose first bit is a field if it does not expand', () => {
    const bitmap = { ...fixed('Bitmap', 8, 'HexToASCII'), disableautoexpand: true }
    const field = composite({ bitmap, subfields: { 1: text(2), 10: text(6) } }, 'ASCII.LL')
    expect(Buffer.from(roundTrip({ ...field, length: 99 }, new Map([['10', '11 456']])), 'hex').toString()).toBe(
      '22004000000000000011 456',
    )
    roundTrip({ ...field, length: 99 }, new Map([['1', 'ab']]))
  })
})

test('bitmaps: a chunk is read whole, and as many as the fields need', () => {
  const bitmapOf = (bitmap: object, highest: number) =>
    importMoov({ fields: { ...front, 1: bitmap, [highest]: fixed('String', 1) } }, 'test').bitmap
  expect(bitmapOf(fixed('Bitmap', 8, 'Binary'), 64)).toEqual({ encoding: 'binary', bytes: 8, bytesMax: 16 })
  expect(bitmapOf(fixed('Bitmap', 8, 'HexToASCII'), 130)).toEqual({ encoding: 'hex', bytes: 8, bytesMax: 24 })
  expect(bitmapOf(fixed('Bitmap', 16, 'HexToASCII'), 90)).toEqual({ encoding: 'hex', bytes: 16, bytesMax: 32 })
  expect(bitmapOf({ ...fixed('Bitmap', 8, 'Hex'), length: undefined }, 90).bytesMax).toBe(16)
})

describe('published messages', () => {
  const tertiary = { ...front, 1: fixed('Bitmap', 8, 'HexToASCII'), 130: fixed('String', 1) }
  const elements = Object.fromEntries(
    Object.entries({
      ...{ 2: 'n..19', 3: 'n 6', 4: 'n 12', 7: 'n 10; MMDDhhmmss', 11: 'n 6', 12: 'n 6', 13: 'n 4', 15: 'n 4' },
      ...{ 18: 'n 4', 25: 'n 2', 28: 'x+n 8', 32: 'n..11', 35: 'z..37', 37: 'an 12', 39: 'an 2', 42: 'ans 15' },
      ...{ 48: 'an...999', 49: 'n 3', 52: 'b 64', 55: 'ans...999', 60: 'ans...999', 63: 'ans...999', 70: 'n 3' },
      ...{ 73: 'n 6', 90: 'n 42' },
    }).map(([number, Describe]) => [number, { Describe, Description: `Element ${number}` }]),
  )
  const encoding = { bmp_enc: 'HEX', len_enc: 'CHAR', num_enc: 'CHAR', chr_enc: 'ASCII', trk_enc: 'EBCDIC' }
  const made: Record<string, ReturnType<typeof compileDialect>> = {
    'moov-tertiary': specification(tertiary),
    'moov-v1987': compileDialect(importMoov({ elements, encoding }, 'first form')),
  }

  test.each(vectors.messages.flatMap(each => (made[each.dialect] ? [[each.id, each] as const] : [])))(
    '%s',
    (_id, { dialect, hex, expected }) => {
      const result = made[dialect]!.unpack(Buffer.from(hex, 'hex'))
      expect(result).toMatchObject({ ok: true, message: { mti: expected?.mti, fields: expected?.fields } })
      expect(made[dialect]!.pack(result.message).toString('hex').toUpperCase()).toBe(hex)
    },
  )
})

describe('refused', () => {
  test.each([
    [{ 2: fixed('Strange', 1) }, 'field 2: the type "Strange" is not known here'],
    [{ 2: fixed('String', 1, 'UTF-16') }, 'field 2: the prefix "UTF-16.Fixed" is not possible here'],
    [{ 2: { ...fixed('String', 1), enc: 'UTF-16' } }, 'field 2: the encoding UTF-16 is not known here'],
    [{ 2: fixed('String', 0) }, 'field 2: length must be a whole number from 1, not 0'],
    [{ x: fixed('String', 1) }, 'field x: its number must be digits'],
    [{ 0: fixed('String', 3) }, 'field 0: the message type must be four digits'],
    [{ 1: fixed('Bitmap', 8, 'BCD') }, 'field 1: a bitmap in BCD is not possible'],
    [
      { 9: { type: 'Composite', length: 9, prefix: 'ASCII.LL', subfields: { 3: fixed('Odd', 1) } } },
      'field 9.3: the type "Odd"',
    ],
    [{ 2: fixed('String', 1, 'ASCII', { padding: { type: 'Middle', pad: ' ' } }) }, 'field 2: its padding must be'],
  ])('%#', (fields, problem) => {
    expect(() => specification(fields)).toThrow(problem)
  })

  test.each([
    [{ elements: { 2: { Describe: 'n' } } }, 'field 2: Describe must be as in "n..19", not "n"'],
    [{ elements: { 2: { Describe: 'q 1' } } }, 'field 2: the attribute q is not known here'],
    [{ elements: {}, encoding: { mti_enc: 'UTF' } }, 'the encoding "UTF" is not possible'],
  ])('%#: the first form', (json, problem) => {
    expect(() => importMoov(json, 'test')).toThrow(problem)
  })
})

test('which format a file is in', () => {
  const ours = JSON.stringify({ name: 'x', fields: { 2: { name: 'PAN', type: 'n', length: 19, prefix: 2 } } })
  expect(importDialect(ours, 'x').source).toBe('charsu')
  expect(importDialect(JSON.stringify({ fields: { ...front, 2: fixed('String', 1) } }), 'x').source).toBe('moov')
  expect(importDialect(JSON.stringify({ elements: {} }), 'x').source).toBe('moov')
  expect(() => importDialect('{', 'x')).toThrow(SyntaxError)
  expect(() => importDialect('  <x/>', 'x')).toThrow('the root element is x')
})
