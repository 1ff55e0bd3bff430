import { describe, expect, test } from 'vitest'
import iso87a from '../../switch-config/dialects/iso87a.json' with { type: 'json' }
import { padded } from '../../test/support/codec.ts'
import { compileDialect } from './dialect.ts'
import type { CodecErrorCode } from './errors.ts'
import { newMessage } from './message.ts'

const dialect = compileDialect(iso87a)
const purchase = '0200F0200000208010000400000000000000169364000000000017000000000000001000000001219364000000000017=2512'
const purchaseWire = `${purchase}T00000010102030405060708001`

const bytes = (text: string) => Buffer.from(text, 'latin1')
const unpackText = (text: string) => dialect.unpack(bytes(text))

describe('iso87a', () => {
  test('a message is ASCII throughout, and comes back as it was', () => {
    const message = newMessage('0200')
    message.fields[2] = '9364000000000017'
    message.fields[3] = '000000'
    message.fields[4] = '000000001000'
    message.fields[11] = '000001'
    message.fields[35] = '9364000000000017=2512'
    message.fields[41] = 'T0000001'
    message.fields[52] = '0102030405060708'
    message.fields[70] = '001'
    expect(dialect.pack(message).toString('latin1')).toBe(purchaseWire)
    expect(padded(unpackText(purchaseWire))).toEqual({ ok: true, message })
  })

  test('a short fixed value is filled as the standard says', () => {
    const message = newMessage('0200')
    message.fields[4] = '1000'
    message.fields[28] = 'C5'
    message.fields[42] = 'M1'
    expect(dialect.pack(message).toString('latin1')).toBe(
      '02001000001000400000' + '000000001000' + 'C00000005' + 'M1             ',
    )
  })

  test.each([
    // name,                          wire,                                       path,    offset, code
    ['nothing at all', '', 'mti', 0, 'truncated'],
    ['half an MTI', '02', 'mti', 0, 'truncated'],
    ['letters in the MTI', '02A0', 'mti', 2, 'bad_character'],
    ['half a bitmap', '020070200000', 'bitmap', 4, 'truncated'],
    ['no bitmap', '0200702000000000000G', 'bitmap', 18, 'bad_bitmap'],
    ['no secondary bitmap', '02008000000000000000', 'bitmap', 20, 'truncated'],
    ['a field cut off', '0200200000000000000000000', '3', 20, 'truncated'],
    ['a prefix cut off', '020040000000000000001', '2', 20, 'truncated'],
    ['a variable field cut off', '020040000000000000001693640', '2', 22, 'truncated'],
    ['a prefix of letters', '02004000000000000000AB', '2', 20, 'bad_length'],
    ['a prefix over the maximum', `0200400000000000000020${'1'.repeat(20)}`, '2', 20, 'too_long'],
    ['a letter in a number', '0200200000000000000000000A', '3', 25, 'bad_character'],
    ['a control character in text', '02000000000000800000T000000\t', '41', 27, 'bad_character'],
    ['a byte above ASCII in text', '02000000000000800000T000000\xe9', '41', 27, 'bad_character'],
    ['letters beyond hexadecimal', '02000000000000001000010203040506070G', '52', 35, 'bad_character'],
    ['no sign on a signed amount', '02000000001000000000000000005', '28', 20, 'bad_character'],
    ['a letter in a signed amount', '02000000001000000000C000000A5', '28', 27, 'bad_character'],
    ['bytes after the last field', '02002000000000000000000000 ', 'message', 26, 'trailing_bytes'],
  ] as [string, string, string, number, CodecErrorCode][])('%s', (_name, wire, path, offset, code) => {
    expect(unpackText(wire)).toMatchObject({ ok: false, error: { path, offset, code } })
  })

  test('what is wrong with one field does not hide the others', () => {
    const result = unpackText(purchaseWire.replace('000000001000', '00000000X000').replace('T0000001', 'T000000\n'))
    expect(result).toMatchObject({ ok: false, error: { path: '4', code: 'bad_character' } })
    expect(result.message.mti).toBe('0200')
    expect(result.message.fields[4]).toBeUndefined()
    expect(result.message.fields[11]).toBe('000001')
    expect(result.message.fields[41]).toBeUndefined()
    expect(result.message.fields[70]).toBe('001')
  })

  test('what came before a broken length is there', () => {
    const result = unpackText(purchaseWire.replace('219364', 'XX9364'))
    expect(result).toMatchObject({ ok: false, error: { path: '35', code: 'bad_length' } })
    expect(result.message.fields[11]).toBe('000001')
  })

  test.each([
    // name,                     MTI,     field, value,            path, code
    ['MTI too short', '020', 3, '000000', 'mti', 'too_short'],
    ['MTI of letters', '02AA', 3, '000000', 'mti', 'bad_character'],
    ['number too long', '0200', 3, '0000000', '3', 'too_long'],
    ['letters in a number', '0200', 3, '00000A', '3', 'bad_character'],
    ['nothing in a fixed field', '0200', 3, '', '3', 'too_short'],
    ['text too long', '0200', 41, 'T00000001', '41', 'too_long'],
    ['beyond Latin-1', '0200', 41, '\u0634', '41', 'bad_character'],
    ['binary too short', '0200', 52, '0102', '52', 'too_short'],
    ['binary not hexadecimal', '0200', 52, 'GG02030405060708', '52', 'bad_character'],
    ['variable too long', '0200', 2, '1'.repeat(20), '2', 'too_long'],
    ['the bitmap as a field', '0200', 1, '00', '1', 'undefined_field'],
    ['a field beyond the bitmaps', '0200', 129, '00', '129', 'undefined_field'],
  ] as const)('pack refuses: %s', (_name, mti, number, value, path, code) => {
    const message = newMessage(mti)
    message.fields[number] = value
    expect(() => dialect.pack(message)).toThrow(expect.objectContaining({ name: 'CodecError', path, code }))
  })

  test('an error says nothing of the values', () => {
    const message = newMessage('0200')
    message.fields[2] = '9364000000000017X'
    expect(() => dialect.pack(message)).toThrow(/^2: bad_character: a character that its type does not allow$/)
    expect(JSON.stringify(unpackText(purchaseWire.replace('9364000000000017', '93640000X0000017')))).not.toContain('X')
  })

  test('a scan reads the fields asked for and nothing after them', () => {
    const wire = bytes(`${purchaseWire.replace('000000001000', 'not a number').replace('T0000001', 'T000000')}`)
    expect(dialect.scan(wire, [3, 11, 12])).toMatchObject({ ok: true, message: { mti: '0200' } })
    const { message } = dialect.scan(wire, [3, 11])
    expect(message.fields.filter(Boolean)).toEqual(['000000', '000001'])
    expect(dialect.scan(bytes(purchaseWire.slice(0, 60)), [11])).toMatchObject({ ok: false, error: { path: '4' } })
  })
})
