import { describe, expect, test } from 'vitest'
import { compileDialect } from './dialect.ts'
import { newMessage } from './message.ts'
import elements from './vectors/elements.json' with { type: 'json' }

/** MTI in BCD and a binary bitmap with DE2 alone: what stands before the element in the tests of one element. */
const front = '02004000000000000000'
const frontBytes = front.length / 2

/**
 * A dialect whose only data element, DE2, is `field`: its bytes as hexadecimal, and the value or the error of bytes.
 */
function elementDialect(field: Record<string, unknown>) {
  const dialect = compileDialect({
    name: 'element',
    mti: { encoding: 'bcd' },
    bitmap: { encoding: 'binary' },
    encodings: { number: 'ascii', text: 'ascii', track: 'ascii', binary: 'binary', prefix: 'ascii' },
    fields: { 2: { name: 'element', ...field } },
  })
  return {
    pack(value: string) {
      const message = newMessage('0200')
      message.fields[2] = value
      return dialect.pack(message).toString('hex').slice(front.length)
    },
    unpack(hex: string) {
      const result = dialect.unpack(Buffer.from(front + hex, 'hex'))
      return result.ok
        ? { value: result.message.fields[2] }
        : { code: result.error.code, offset: result.error.offset - frontBytes }
    },
    skips: (hex: string) => dialect.scan(Buffer.from(front + hex, 'hex'), [3]).ok,
  }
}

/** Published packings of one element by other implementations; each row names its source. */
type ElementVector = { field: Record<string, unknown>; op: string; value: string; hex: string; tooLong?: boolean }

const bcd = { type: 'n', encoding: 'bcd' }
const left = { spareNibble: { side: 'left' } }
const right = { spareNibble: { side: 'right', fill: 'F' } }
/** A length of one byte, then four bytes whatever it says. */
const area = { type: 'b', length: 4, filler: '00', prefix: { encoding: 'binary', width: 1 } }
const ll = (encoding: string, more: object = {}) => ({ prefix: { encoding, width: 2, ...more } })

describe('a value and its bytes', () => {
  test.each([
    // name,                              field,                                                   value,     bytes
    ['ASCII number', { type: 'n', length: 3 }, '364', '333634'],
    ['Latin-1 text', { type: 'ans', encoding: 'latin1', length: 2 }, 'é ', 'e920'],
    ['EBCDIC text, code page 1047', { type: 'ans', encoding: 'ebcdic', length: 4 }, 'A[]^', 'c1adbd5f'],
    ['EBCDIC text, code page 037', { type: 'ans', encoding: 'ebcdic037', length: 4 }, 'A[]^', 'c1babbb0'],
    ['EBCDIC number', { type: 'n', encoding: 'ebcdic', length: 3 }, '364', 'f3f6f4'],
    [
      'UTF-8, counting characters',
      { type: 'ans', encoding: 'utf8', length: 5, ...ll('ascii') },
      'چ é',
      '3033da8620c3a9',
    ],
    [
      'UTF-8, counting bytes',
      { type: 'ans', encoding: 'utf8', unit: 'bytes', length: 5, ...ll('ascii') },
      'چé',
      '3034da86c3a9',
    ],
    ['UTF-8 beyond 16 bits', { type: 'any', encoding: 'utf8', length: 1 }, '\u{1f6d2}', 'f09f9b92'],
    ['an amount with a digit for its sign', { type: 'an+n', length: 5 }, '01234', '3031323334'],
    ['bytes translated to EBCDIC', { type: 'b', encoding: 'binary-ebcdic', length: 2 }, '4131', 'c1f1'],
    ['an area, not full', area, 'AABB', '02aabb0000'],
    ['an area, full', area, 'AABBCCDD', '04aabbccdd'],
    ['an area, empty', area, '', '0000000000'],
    ['BCD', { ...bcd, length: 4 }, '1234', '1234'],
    ['BCD, odd, spare left', { ...bcd, length: 3, ...left }, '123', '0123'],
    ['BCD, odd, spare right with F', { ...bcd, length: 3, ...right }, '123', '123f'],
    ['BCD, spare right unless fixed', { ...bcd, length: 19, ...ll('bcd') }, '123', '031230'],
    ['BCD of one digit', { ...bcd, length: 1 }, '7', '07'],
    ['BCD counted in bytes', { ...bcd, unit: 'bytes', length: 4, ...ll('bcd') }, '1234', '021234'],
    ['BCD counted in nibbles', { ...bcd, unit: 'nibbles', length: 4, ...ll('bcd') }, '1234', '041234'],
    [
      'BCD, length in digits, prefix in bytes',
      { ...bcd, length: 4, ...ll('bcd', { unit: 'bytes' }) },
      '1234',
      '021234',
    ],
    ['track 2 as text', { type: 'z', length: 37, ...ll('ascii') }, '12=3', '303431323d33'],
    ['track 2 as text with D', { type: 'z', length: 37, ...ll('ascii') }, '12D3', '303431324433'],
    ['track 2 in BCD', { type: 'z', encoding: 'bcd', length: 37, ...ll('bcd'), ...right }, '12=34', '0512d34f'],
    ['binary', { type: 'b', length: 2 }, '0AFF', '0aff'],
    ['binary as text', { type: 'b', encoding: 'hex', length: 2 }, '0AFF', '30414646'],
    ['binary as EBCDIC text', { type: 'b', encoding: 'hex-ebcdic', length: 2 }, '0AFF', 'f0c1c6c6'],
    [
      'binary as text, counting characters',
      { type: 'b', encoding: 'hex', unit: 'characters', length: 4, ...ll('ascii') },
      '0AFF',
      '303430414646',
    ],
    [
      'binary as text, counting bytes',
      { type: 'b', encoding: 'hex', length: 4, ...ll('ascii') },
      '0AFF',
      '303230414646',
    ],
    ['hexadecimal digits, odd', { type: 'b', encoding: 'bcd', unit: 'digits', length: 3, ...left }, 'ABC', '0abc'],
    ['signed amount', { type: 'x+n', length: 9 }, 'C00000005', '433030303030303035'],
    ['signed amount in EBCDIC', { type: 'x+n', encoding: 'ebcdic', length: 3 }, 'D05', 'c4f0f5'],
    ['signed amount in BCD', { type: 'x+n', encoding: 'bcd', length: 9 }, 'D00000005', '4400000005'],
    ['a private field with control characters', { type: 'any', length: 3 }, 'a\x1cb', '611c62'],
    ['letters', { type: 'a', length: 2 }, 'Az', '417a'],
    ['no characters at all', { type: 'ans', length: 9, ...ll('ascii') }, '', '3030'],
    ['a prefix in ASCII', { type: 'ans', length: 99, ...ll('ascii') }, 'x'.repeat(12), `3132${'78'.repeat(12)}`],
    ['a prefix in EBCDIC', { type: 'ans', length: 99, ...ll('ebcdic') }, 'x'.repeat(12), `f1f2${'78'.repeat(12)}`],
    ['a prefix in BCD', { type: 'ans', length: 99, ...ll('bcd') }, 'x'.repeat(12), `12${'78'.repeat(12)}`],
    [
      'a prefix in BCD of three digits',
      { type: 'ans', length: 999, prefix: { encoding: 'bcd', width: 3 } },
      'x',
      '000178',
    ],
    ['a prefix in binary', { type: 'ans', length: 999, ...ll('binary') }, 'x'.repeat(300), `012c${'78'.repeat(300)}`],
    ['a prefix in hexadecimal', { type: 'ans', length: 255, ...ll('hex') }, 'x'.repeat(171), `4142${'78'.repeat(171)}`],
    ['an inclusive prefix', { type: 'ans', length: 97, ...ll('ascii', { inclusive: true }) }, 'x', '303378'],
    ['an inclusive prefix in bytes', { type: 'b', length: 97, ...ll('binary', { inclusive: true }) }, 'AB', '0003ab'],
  ])('%s', (_name, field, value, hex) => {
    const element = elementDialect(field)
    expect(element.pack(value)).toBe(hex)
    expect(element.unpack(hex)).toEqual({ value })
    expect(element.skips(hex)).toBe(true)
  })
})

describe('what short fixed values are filled with', () => {
  test.each([
    // name,                 field,                                                             value, bytes
    ['number', { type: 'n', length: 4 }, '12', '30303132'],
    ['number in BCD', { ...bcd, length: 4 }, '12', '0012'],
    ['text', { type: 'ans', length: 4 }, 'ab', '61622020'],
    ['text in EBCDIC', { type: 'ans', encoding: 'ebcdic', length: 3 }, 'A', 'c14040'],
    ['signed amount', { type: 'x+n', length: 4 }, 'D5', '44303035'],
    ['as the field says', { type: 'an', length: 4, padding: { side: 'left', character: 'x' } }, 'ab', '78786162'],
  ])('%s', (_name, field, value, hex) => {
    expect(elementDialect(field).pack(value)).toBe(hex)
  })

  test.each([
    ['a number of a field that says none', { type: 'n', length: 4, padding: 'none' }, '12'],
    ['binary', { type: 'b', length: 4 }, '0A'],
    ['a track', { type: 'z', length: 4 }, '12'],
    ['nothing', { type: 'n', length: 4 }, ''],
  ])('not: %s', (_name, field, value) => {
    expect(() => elementDialect(field).pack(value)).toThrow('too_short')
  })
})

describe('bytes that are no value', () => {
  test.each([
    // name,                          field,                                              bytes,      code, offset
    ['a letter in BCD', { ...bcd, length: 4 }, '12a4', 'bad_character', 1],
    ['a digit where the spare is', { ...bcd, length: 3 }, '5123', 'bad_padding', 0],
    ['a digit where the right spare is', { ...bcd, length: 3, ...right }, '1235', 'bad_padding', 1],
    ['a letter in an EBCDIC number', { type: 'n', encoding: 'ebcdic', length: 2 }, 'f1c1', 'bad_character', 1],
    ['a control character in EBCDIC', { type: 'ans', encoding: 'ebcdic', length: 2 }, 'c100', 'bad_character', 1],
    ['a space in letters and digits', { type: 'an', length: 2 }, '3120', 'bad_character', 1],
    ['broken UTF-8', { type: 'any', encoding: 'utf8', length: 1 }, 'c328', 'bad_character', 0],
    ['UTF-8 cut off', { type: 'ans', encoding: 'utf8', length: 1 }, 'da', 'truncated', 0],
    ['UTF-8 of too few characters', { type: 'ans', encoding: 'utf8', length: 3 }, '6162', 'truncated', 0],
    [
      'a letter as a digit of EBCDIC text',
      { type: 'b', encoding: 'hex-ebcdic', length: 1 },
      'f0c7',
      'bad_character',
      1,
    ],
    [
      'an odd length of binary as text',
      { type: 'b', encoding: 'hex', unit: 'characters', length: 4, ...ll('ascii') },
      '3033304146',
      'bad_length',
      2,
    ],
    [
      'an odd number of nibbles of text',
      { type: 'ans', unit: 'nibbles', length: 8, ...ll('ascii') },
      '30336162',
      'bad_length',
      0,
    ],
    [
      'an inclusive length of less than itself',
      { type: 'ans', length: 9, ...ll('ascii', { inclusive: true }) },
      '3031',
      'bad_length',
      0,
    ],
    ['a prefix of no BCD', { type: 'ans', length: 9, ...ll('bcd') }, '0a', 'bad_length', 0],
    [
      'a BCD prefix of a digit too many',
      { type: 'ans', length: 999, prefix: { encoding: 'bcd', width: 3 } },
      '1001',
      'bad_length',
      0,
    ],
    ['a prefix of no hexadecimal', { type: 'ans', length: 9, ...ll('hex') }, '3047', 'bad_length', 0],
    ['no sign, and no digits', { type: 'x+n', encoding: 'bcd', length: 5 }, '410aaa', 'bad_character', 0],
    ['an area with something behind the value', area, '02aabb0100', 'bad_padding', 3],
    ['an area cut short', area, '02aabb00', 'truncated', 0],
    ['a length beyond its area', area, '05aabbccdd', 'too_long', 0],
    ['a sign that is none', { type: 'an+n', length: 3 }, '2d3031', 'bad_character', 0],
    ['a binary prefix over the maximum', { type: 'ans', length: 9, ...ll('binary') }, 'ffff', 'too_long', 0],
  ])('%s', (_name, field, hex, code, offset) => {
    expect(elementDialect(field).unpack(hex)).toEqual({ code, offset })
  })

  test.each([
    ['lower case hexadecimal', { type: 'b', encoding: 'hex', length: 2 }, '30616666', '0AFF'],
    ['a spare of F', { ...bcd, length: 3 }, 'f123', '123'],
  ])('but %s is read', (_name, field, hex, value) => {
    expect(elementDialect(field).unpack(hex)).toEqual({ value })
  })

  test.each([
    ['half a surrogate pair', { type: 'any', encoding: 'utf8', length: 9, ...ll('ascii') }, '\ud83d', 'bad_character'],
    ['an odd number of hexadecimal digits', { type: 'b', length: 9, ...ll('ascii') }, 'ABC', 'bad_length'],
    ['the same as text', { type: 'b', encoding: 'hex', length: 9, ...ll('ascii') }, 'ABC', 'bad_length'],
    ['a letter in BCD', { ...bcd, length: 4 }, '12A4', 'bad_character'],
    ['beyond Latin-1 in EBCDIC', { type: 'ans', encoding: 'ebcdic', length: 1 }, '\u0686', 'bad_character'],
    ['a code that is a digit but for its high byte', { ...bcd, length: 1 }, '\u0131', 'bad_character'],
    ['the same in binary', { type: 'b', length: 1 }, '0\u0131', 'bad_character'],
  ])('pack refuses: %s', (_name, field, value, code) => {
    expect(() => elementDialect(field).pack(value)).toThrow(code)
  })
})

describe('published elements', () => {
  test.each((elements as ElementVector[]).map(each => [each.op, String(each.field.name), each] as const))(
    '%s %s',
    (_op, _name, { field, op, value, hex, tooLong }) => {
      const element = elementDialect(field)
      if (tooLong) expect(() => element.pack(value)).toThrow('too_long')
      else if (op === 'pack') expect(element.pack(value)).toBe(hex.toLowerCase())
      else expect(element.unpack(hex)).toEqual({ value })
    },
  )
})
