import { readFileSync } from 'node:fs'
import { Compile } from 'typebox/schema'
import { describe, expect, test } from 'vitest'
import iso87a from '../../switch-config/dialects/iso87a.json' with { type: 'json' }
import iso87b from '../../switch-config/dialects/iso87b.json' with { type: 'json' }
import iso93a from '../../switch-config/dialects/iso93a.json' with { type: 'json' }
import iso93b from '../../switch-config/dialects/iso93b.json' with { type: 'json' }
import { parseDialect } from './parse-dialect.ts'

const schemaUrl = new URL('../../switch-config/dialects/dialect.schema.json', import.meta.url)
const schema = Compile(JSON.parse(readFileSync(schemaUrl, 'utf8')))

const base = {
  name: 'small',
  mti: { encoding: 'ascii' },
  bitmap: { encoding: 'hex', bytesMax: 16 },
  encodings: { number: 'ascii', text: 'ascii', track: 'ascii', binary: 'hex', prefix: 'ascii' },
  fields: {},
}
const field = (value: object) => ({ ...base, fields: { 2: { name: 'Two', type: 'n', length: 4, ...value } } })
const bcd = { encoding: 'bcd' }

describe('the dialects that are shipped', () => {
  test.each([iso87a, iso87b, iso93a, iso93b].map(file => [file.name, file] as const))('%s', (_name, file) => {
    expect(schema.Errors(file)).toEqual([true, []])
    const format = parseDialect(file)
    expect([...format.fields.keys()]).toEqual(Array.from({ length: 127 }, (_, index) => index + 2))
  })

  test.each([
    ['iso87', iso87a, iso87b],
    ['iso93', iso93a, iso93b],
  ] as const)('%s: the fields of the two forms are the same', (_name, ascii, packed) => {
    expect(packed.fields).toEqual(ascii.fields)
  })

  test('no card data is shown', () => {
    for (const file of [iso87a, iso87b, iso93a, iso93b]) {
      const { fields } = parseDialect(file)
      expect(fields.get(2)?.mask).toBe('pan')
      for (const number of [14, 34, 35, 36, 45, 48, 52, 53, 55, 64, 127, 128]) {
        expect(fields.get(number)?.mask).toBe('hidden')
      }
    }
  })
})

describe('a dialect is refused where it is wrong, by path', () => {
  test.each([
    // dialect, path and problem, does the JSON schema see it too
    [null, '/: must be an object, not null', true],
    [{ ...base, name: '' }, '/name: must be a text that is not empty, not ""', true],
    [{ ...base, colour: 1 }, '/colour: is not known here', true],
    [{ ...base, mti: { encoding: 'hex' } }, '/mti/encoding: must be one of ascii, ebcdic, bcd, not "hex"', true],
    [{ ...base, headerBytes: -1 }, '/headerBytes: must be a whole number from 0 to 255, not -1', true],
    [
      { ...base, bitmap: { encoding: 'hex', bytes: 8, bytesMax: 12 } },
      '/bitmap/bytesMax: must be a multiple of 8',
      false,
    ],
    [{ ...base, encodings: {} }, '/encodings/number: must be one of', true],
    [{ ...base, fields: { 0: {} } }, '/fields/0: must be a field number from 1 to 128', true],
    [{ ...base, fields: { 129: {} } }, '/fields/129: must be a field number from 1 to 128', true],
    [{ ...base, fields: { 1: {} } }, '/fields/1: is the bit that says that another bitmap follows', true],
    [field({ name: undefined }), '/fields/2/name: must be a text', true],
    [field({ type: 'q' }), '/fields/2/type: must be one of a, n,', true],
    [field({ length: 0 }), '/fields/2/length: must be a whole number from 1 to 999999, not 0', true],
    [field({ length: 1.5 }), '/fields/2/length: must be a whole number', true],
    [field({ type: 'x+n', length: 1 }), '/fields/2/length: must be a whole number from 2', false],
    [field({ encoding: 'hex' }), '/fields/2/encoding: of type n must be one of ascii', false],
    [field({ type: 'b', encoding: 'ascii' }), '/fields/2/encoding: of type b must be one of', false],
    [field({ type: 'ans', ...bcd }), '/fields/2/encoding: of type ans must be one of', false],
    [field({ type: 'x+n', ...bcd, unit: 'bytes' }), '/fields/2/unit: of a signed bcd amount', false],
    [field({ encoding: 'utf8', unit: 'nibbles' }), '/fields/2/unit: of a utf8 field', false],
    [field({ unit: 'bits' }), '/fields/2/unit: must be one of', true],
    [field({ prefix: 7 }), '/fields/2/prefix: must be a whole number from 1 to 6, not 7', true],
    [
      field({ prefix: { width: 5, encoding: 'binary' } }),
      '/fields/2/prefix/width: must be a whole number from 1 to 4',
      false,
    ],
    [field({ length: 10, prefix: 1 }), '/fields/2/length: must fit its prefix, which counts up to 9, not 10', false],
    [field({ length: 98, prefix: { width: 2, inclusive: true } }), '/fields/2/length: must fit its prefix', false],
    [field({ length: 3, unit: 'nibbles' }), '/fields/2/length: must be whole bytes, in nibbles, not 3', false],
    [field({ type: 'b', length: 3, unit: 'digits' }), '/fields/2/length: must be whole bytes, in digits, not 3', false],
    [field({ mask: 'none' }), '/fields/2/mask: must be one of clear, pan, tail, hidden', true],
    [field({ padding: 'zero' }), '/fields/2/padding: must be an object', true],
    [field({ padding: { side: 'left', character: '00' } }), '/fields/2/padding/character: must be one character', true],
    [field({ spareNibble: { fill: '1' } }), '/fields/2/spareNibble/fill: must be one of 0, F', true],
    [field({ children: { kind: 'xml' } }), '/fields/2/children/kind: must be one of positional', true],
    [
      field({ children: { kind: 'positional', fields: {} } }),
      '/fields/2/children/fields: must have at least one',
      false,
    ],
    [
      field({ type: 'b', children: { kind: 'ber-tlv', fields: { '9g': {} } } }),
      '/fields/2/children/fields/9g: must be a tag in hexadecimal',
      true,
    ],
    [
      field({ children: { kind: 'tag-length', tag: { encoding: 'bcd', width: 3 }, prefix: 2 } }),
      '/fields/2/children/tag/width: of a bcd tag must be whole bytes',
      false,
    ],
    [
      field({ children: { kind: 'tag-length', tag: { encoding: 'ascii', width: 2 }, lengthFirst: true } }),
      '/fields/2/children/lengthFirst: needs a prefix that counts bytes',
      false,
    ],
    [
      field({ ...bcd, length: 99, prefix: { width: 2, unit: 'nibbles' } }),
      '/fields/2/length: must fit its prefix, which counts up to 99, not 99',
      false,
    ],
    [field({ filler: '20' }), '/fields/2/filler: needs a prefix', false],
    [field({ prefix: 2, filler: ' ' }), '/fields/2/filler: must be a byte in hexadecimal', true],
  ])('%#', (dialect, problem, schemaSees) => {
    expect(() => parseDialect(dialect)).toThrow(problem)
    const plain = JSON.parse(JSON.stringify(dialect))
    expect(schema.Check(plain)).toBe(!schemaSees)
  })
})
