import { readFileSync } from 'node:fs'
import { Compile } from 'typebox/schema'
import { describe, expect, test } from 'vitest'
import { padded } from '../../test/support/codec.ts'
import { compileDialect, type Dialect } from './dialect.ts'
import { importJpos } from './import-jpos.ts'
import { jposClasses } from './jpos-classes.ts'
import { type Composite, type Message, newMessage } from './message.ts'
import elements from './vectors/elements.json' with { type: 'json' }
import classes from './vectors/jpos-field-classes.json' with { type: 'json' }
import vectors from './vectors/messages.json' with { type: 'json' }

const packager = (name: string) =>
  readFileSync(new URL(`vectors/packagers/${name}.xml`, import.meta.url), 'utf8').replaceAll('\r', '')
const imported = (name: string) => compileDialect(importJpos(packager(name), name))
const shipped = (name: string) =>
  compileDialect(
    JSON.parse(readFileSync(new URL(`../../switch-config/dialects/${name}.json`, import.meta.url), 'utf8')),
  )

const schemaUrl = new URL('../../switch-config/dialects/dialect.schema.json', import.meta.url)
const schema = Compile(JSON.parse(readFileSync(schemaUrl, 'utf8')))

const isofield = (id: number, className: string, length: number, more = '') =>
  `<isofield id="${id}" length="${length}" name="F${id}" class="org.jpos.iso.${className}" ${more}/>`
const front = isofield(0, 'IFB_NUMERIC', 4) + isofield(1, 'IFB_BITMAP', 16)
const withFields = (fields: string) =>
  compileDialect(importJpos(`<isopackager>${front}${fields}</isopackager>`, 'test'))

function message(mti: string, values: Record<number, string | Composite>): Message {
  const built = newMessage(mti)
  for (const [key, value] of Object.entries(values)) {
    const number = Number.parseInt(key, 10)
    if (typeof value === 'string') built.fields[number] = value
    else {
      built.composites ??= new Map()
      built.composites.set(number, value)
    }
  }
  return built
}

const sale = {
  2: '9364000000000019',
  3: '000000',
  4: '000000001000',
  7: '1121143000',
  11: '000001',
  22: '051',
  32: '123456',
  37: '123456789012',
  41: 'T0000001',
  42: 'M00000000000001',
  64: '0123456789ABCDEF',
  90: '020000000111211430000000012345600000000000',
}

describe('packagers written from the standard', () => {
  test.each([
    // packager, the shipped dialect that has the same bytes, and elements that differ in :1993
    ['iso87-ascii', 'iso87a', { 35: '9364000000000019=2912', 49: '364', 52: '0123456789ABCDEF' }],
    ['iso87-binary', 'iso87b', { 35: '9364000000000019=2912', 49: '364', 52: '0123456789ABCDEF' }],
    ['iso93-ascii', 'iso93a', { 22: 'A00101A00101', 35: '9364000000000019=2912', 90: undefined }],
    ['iso93-binary', 'iso93b', { 22: 'A00101A00101', 32: '12345', 90: undefined }],
  ] as const)('%s is %s', (file, name, more) => {
    const given = message('0200', JSON.parse(JSON.stringify({ ...sale, ...more })))
    const bytes = imported(file).pack(given)
    expect(bytes.toString('hex')).toBe(shipped(name).pack(given).toString('hex'))
    expect(padded(imported(file).unpack(bytes))).toEqual({ ok: true, message: { ...given, composites: undefined } })
    expect([...imported(file).format.fields.keys()]).toEqual([...shipped(name).format.fields.keys()])
  })

  test('Postilion-style: DE127 and 127.25 with bitmaps of their own', () => {
    const icc: Composite = new Map([
      ['2', '000000001000'],
      ['12', 'A1B2C3D4E5F60718'],
      ['30', 'DEADBEEF'],
    ])
    const privateData: Composite = new Map<string, string | Composite>([
      ['2', 'SWITCH KEY 1'],
      ['25', icc],
      ['33', '6008'],
    ])
    const given = message('0200', { ...sale, 127: privateData })
    const bytes = imported('postilion').pack(given)
    expect(bytes.toString('latin1')).toContain('000100')
    expect(bytes.subarray(-99).toString('latin1')).toMatch(/0052[0-9A-F]{16}000000001000A1B2C3D4E5F60718DEADBEEF6008$/)
    const result = imported('postilion').unpack(bytes)
    expect(padded(result)).toEqual({ ok: true, message: given })
    const cut = imported('postilion').unpack(bytes.subarray(0, -5))
    expect(cut).toMatchObject({ ok: false, error: { path: '127', code: 'truncated' } })
  })

  const files: Record<string, string | undefined> = {
    'jpos-iso87ascii': 'iso87-ascii',
    'jpos-iso93binary': 'iso93-binary',
    'jpos-iso93ebcdic-custom': 'iso93-ebcdic',
    'jpos-postilion': 'postilion',
  }
  test.each(vectors.messages.flatMap(each => (files[each.dialect] ? [[each.id, each] as const] : [])))(
    'published message %s',
    (_id, { dialect, hex, expected }) => {
      // The published one has text in 127.25.
      const xml = packager(files[dialect]!).replace(
        /<isofieldpackager id="25"[\s\S]*?<\/isofieldpackager>/,
        isofield(25, 'IFA_LLLLCHAR', 8000),
      )
      const made = compileDialect(importJpos(xml, dialect))
      const result = made.unpack(Buffer.from(hex, 'hex'))
      expect(result.ok).toBe(true)
      const flat = { ...result.message.fields, ...plain(result.message.composites) }
      expect(flat).toMatchObject(JSON.parse(JSON.stringify(expected?.fields).replaceAll('_header', 'header')))
      expect(made.pack(result.message).toString('hex').toUpperCase()).toBe(hex)
    },
  )
})

function plain(value: Map<string | number, string | Composite> | undefined): Record<string, unknown> {
  return Object.fromEntries(
    Array.from(value ?? [], ([key, each]) => [key, typeof each === 'string' ? each : plain(each)]),
  )
}

describe('every class', () => {
  test.each(Object.entries(classes.classes) as [string, { value: string; length: string }][])(
    '%s',
    (name, { value, length }) => {
      const known = jposClasses.get(name)!
      expect(known).toBeDefined()
      const { encoding, prefix, tag } = known
      const [, count, kind] = /(\d) (ascii|ebcdic|bcd|bytes)/.exec(length) ?? []
      if (kind !== undefined && tag === undefined) {
        expect(prefix).toMatchObject({
          encoding: kind === 'bytes' ? 'binary' : kind,
          width: Number.parseInt(count!, 10),
        })
      }
      if (length === 'none') expect(prefix).toBeUndefined()
      const told = { as: 'latin1', ascii: 'latin1', packed: 'bcd', hexadecimal: 'hex' } as Record<string, string>
      const first = value.split(' ')[0]!
      const special = { 'binary through ebcdic': 'binary-ebcdic', 'hexadecimal text in ebcdic': 'hex-ebcdic' } as const
      expect(encoding.replace(/^ascii$/, 'latin1')).toBe(
        value in special ? special[value as keyof typeof special] : (told[first] ?? first),
      )
    },
  )

  const published = elements as {
    field: { name: string; length: number; spareNibble?: { side: string } }
    op: string
    value: string
    hex: string
    tooLong?: boolean
  }[]
  test.each(published.map(each => [each.op, each.field.name, each] as const))(
    'published %s of %s',
    (_op, name, { field, op, value, hex, tooLong }) => {
      const pad = field.spareNibble?.side === 'left' ? 'pad="true"' : ''
      const dialect = withFields(isofield(2, name, field.length, pad))
      const given = message('0200', { 2: value })
      const bytes = `02004000000000000000${hex.toLowerCase()}`
      if (tooLong) expect(() => dialect.pack(given)).toThrow('too_long')
      else if (op === 'pack') expect(dialect.pack(given).toString('hex')).toBe(bytes)
      else expect(dialect.unpack(Buffer.from(bytes, 'hex')).message.fields[2]).toBe(value)
    },
  )

  test.each([
    // class, length, attributes, value, bytes
    ['IFB_LLHFBINARY', 4, '', 'AABB', '02aabb0000'],
    ['IFA_FLLCHAR', 5, '', 'abc', '30336162632020'],
    ['IFA_FLLNUM', 4, '', '12', '303231322020'],
    ['IFB_LLHEX', 99, '', 'AABBCC', '06aabbcc'],
    ['IFB_LLLHEX', 999, '', 'AA', '0002aa'],
    ['IFB_HEX', 3, '', 'ABC', 'abcf'],
    ['IFB_HEX', 3, 'pad="true"', 'ABC', '0abc'],
    ['IFB_NUMERIC', 3, '', '123', '1230'],
    ['IFB_NUMERIC', 3, 'pad="true"', '123', '0123'],
    ['IFB_FNUMERIC', 3, '', '123', '123f'],
    ['IFB_FLLNUM', 9, '', '123', '03123f'],
    ['IFB_LLLNUM', 999, '', '12', '000212'],
    ['IFE_LLLEBINARY', 9, '', '313233', 'f0f0f3f1f2f3'],
    ['IFE_AMOUNT', 4, '', 'D123', 'c4f1f2f3'],
    ['IFB_AMOUNT', 5, '', '01234', '301234'],
    ['IFA_LLCHAR', 99, 'inclusive="true"', 'abc', '3035616263'],
    ['IFA_LLCHAR', 999, '', '\u0000é', '303200e9'],
  ])('%s of length %d %s', (name, length, attributes, value, hex) => {
    const dialect = withFields(isofield(2, name, length, attributes))
    const bytes = dialect.pack(message('0200', { 2: value }))
    expect(bytes.toString('hex').slice(20)).toBe(hex)
    expect(dialect.unpack(bytes)).toMatchObject({ ok: true, message: { fields: { 2: value } } })
  })
})

const nested = (attributes: string, fields: string, className = 'IFA_LLLBINARY') =>
  withFields(
    `<isofieldpackager id="48" length="999" name="F48" class="org.jpos.iso.${className}" ${attributes}>
       ${fields}</isofieldpackager>`,
  )

function expectBytes(dialect: Dialect, children: [string, string][], hex: string) {
  const given = message('0200', { 48: new Map(children) })
  const bytes = dialect.pack(given)
  expect(bytes.toString('hex').slice(20)).toBe(hex)
  expect(padded(dialect.unpack(bytes))).toEqual({ ok: true, message: given })
}

describe('nested packagers', () => {
  const generic = 'packager="org.jpos.iso.packager.GenericSubFieldPackager"'
  const two = isofield(0, 'IF_CHAR', 1) + isofield(1, 'IFA_NUMERIC', 2) + isofield(2, 'IFA_LLCHAR', 9)

  test.each([
    [
      'positional',
      `${generic} emitBitmap="false"`,
      two,
      [
        ['1', '07'],
        ['2', 'ab'],
      ],
      '3030363037',
      '30326162',
    ],
    [
      'from field 0',
      `${generic} emitBitmap="false" firstField="0"`,
      two,
      [
        ['0', 'x'],
        ['1', '07'],
      ],
      '303033',
      '783037',
    ],
    [
      'BER-TLV',
      'packager="org.jpos.tlv.packager.bertlv.BERTLVBinaryPackager"',
      '',
      [['9F26', '01']],
      '303034',
      '9f260101',
    ],
    ['datasets', 'packager="org.jpos.iso.packager.DatasetPackager"', '', [['01', 'ABCD']], '303035', '010002abcd'],
    [
      'a bitmap as field 0, and bit 1 a field',
      'packager="org.jpos.iso.packager.Base1SubFieldPackager"',
      `<isofield id="0" length="8" name="map" class="org.jpos.iso.packager.Base1_BITMAP126"/>${two}`.replace(
        isofield(0, 'IF_CHAR', 1),
        '',
      ),
      [['1', '07']],
      '303130',
      '80000000000000003037',
    ],
    [
      'tags before lengths, after a field without',
      'packager="org.jpos.iso.packager.EuroSubFieldPackager"',
      isofield(0, 'IF_CHAR', 1) + isofield(3, 'IFMC_LLCHAR', 9) + isofield(42, 'IFMC_LLCHAR', 9),
      [
        ['header', '52'],
        ['42', 'ab'],
        ['03', 'c'],
        ['77', '0F'],
      ],
      '303137',
      '52343230326162303330316337373031' + '0f',
    ],
    [
      'EBCDIC tags of four digits',
      'packager="org.jpos.iso.packager.EuroSubFieldPackager"',
      isofield(105, 'IFEMC_LLLCHAR', 99),
      [['0105', 'A']],
      '303038',
      'f0f1f0f5f0f0f1c1',
    ],
    [
      'lengths before tags',
      'packager="org.jpos.iso.packager.EuroSubFieldPackager"',
      isofield(3, 'IFEP_LLLBINARY', 99),
      [
        ['03', 'AABB'],
        ['04', 'CC'],
      ],
      '303133',
      'f0f0f4f0f3aabbf0f0f3f0f4cc',
    ],
  ] as [string, string, string, [string, string][], string, string][])(
    '%s',
    (_name, attributes, fields, children, length, bytes) => {
      expectBytes(nested(attributes, fields), children, length + bytes)
    },
  )

  test('in text: as hexadecimal, and in EBCDIC', () => {
    const ascii = 'packager="org.jpos.tlv.packager.bertlv.BERTLVAsciiHexPackager"'
    expectBytes(nested(ascii, '', 'IFA_LLLCHAR'), [['82', '5C00']], '30303838323032354330' + '30')
    const ebcdic = 'packager="org.jpos.tlv.packager.bertlv.BERTLVEbcdicHexPackager"'
    expectBytes(nested(ebcdic, '', 'IFE_LLLCHAR'), [['82', '5C']], 'f0f0f6f8f2f0f1f5c3')
    expectBytes(nested(`${generic} emitBitmap="false"`, two, 'IFE_LLLCHAR'), [['1', '07']], 'f0f0f2f0f7')
  })

  test('errors within translated bytes have the offset of the message', () => {
    const dialect = nested(`${generic} emitBitmap="false"`, two, 'IFE_LLLCHAR')
    const bytes = Buffer.from('02000000000000010000f0f0f2f0c1', 'hex')
    expect(dialect.unpack(bytes)).toMatchObject({
      ok: false,
      error: { path: '48.1', offset: 14, code: 'bad_character' },
    })
  })
})

describe('refused', () => {
  test.each([
    ['an unknown class', isofield(7, 'IFX_FOO', 1), 'field 7 (line 1): the class IFX_FOO is not known here'],
    [
      'no length',
      '<isofield id="7" class="IF_CHAR"/>',
      'field 7 (line 1): length of isofield must be a number, not null',
    ],
    ['no class', '<isofield id="7" length="1"/>', 'field 7 (line 1): has no class'],
    ['a bad id', '<isofield id="x" length="1"/>', 'line 1): id of isofield must be a number, not "x"'],
    [
      'an unknown class of a subfield',
      `<isofieldpackager id="9" length="9" class="IFA_LLCHAR" packager="GenericSubFieldPackager" emitBitmap="false">
       ${isofield(2, 'IFX', 1)}</isofieldpackager>`,
      'field 9.2 (line 2): the class IFX is not known here',
    ],
    [
      'an unknown packager',
      '<isofieldpackager id="9" length="9" class="IFA_LLCHAR" packager="x.MyPackager"/>',
      'field 9 (line 1): the packager MyPackager is not known here',
    ],
    ['a tagged class alone', isofield(9, 'IFMC_LLCHAR', 9), 'field 9 (line 1): IFMC_LLCHAR is possible only among'],
    ['a third bitmap behind fields', isofield(65, 'IFB_BITMAP', 8) + isofield(130, 'IF_CHAR', 1), 'field 65'],
  ])('%s', (_name, fields, problem) => {
    expect(() => withFields(fields)).toThrow(problem)
  })

  test.each([
    ['<isopackager>', 'not well-formed XML: line 1: isopackager is not closed'],
    ['<x/>', 'the root element is x, not isopackager'],
    ['<isopackager/>', 'field 0: is missing'],
    ['<isopackager emitBitmap="false"/>', '(line 1): emitBitmap is false'],
    [`<isopackager>${isofield(0, 'IFA_LLNUM', 4)}${isofield(1, 'IFA_BITMAP', 16)}</isopackager>`, 'field 0'],
    [
      `<isopackager>${isofield(0, 'IFA_NUMERIC', 4)}${isofield(1, 'IF_CHAR', 16)}</isopackager>`,
      'IF_CHAR is not a bitmap',
    ],
  ])('%s', (xml, problem) => {
    expect(() => importJpos(xml, 'test')).toThrow(problem)
  })
})

test.each(['iso87-ascii', 'iso87-binary', 'iso93-ascii', 'iso93-binary', 'iso93-ebcdic', 'postilion'])(
  'what %s becomes is as the schema says',
  name => {
    expect(schema.Errors(JSON.parse(JSON.stringify(importJpos(packager(name), name))))).toEqual([true, []])
  },
)

test('every class of a field alone, by the schema', () => {
  const names = [...jposClasses]
    .filter(([, { tag, token }]) => tag === undefined && token === undefined)
    .map(([name]) => name)
  const fields = names.map((name, index) => isofield(index + 2, name, 8)).join('')
  const json = importJpos(`<isopackager>${front}${fields}</isopackager>`, 'classes')
  expect(schema.Errors(JSON.parse(JSON.stringify(json)))).toEqual([true, []])
  expect(compileDialect(json).format.fields.size).toBe(names.length)
})

test('harmless attributes, a placeholder, a field twice and fields beyond the bitmap', () => {
  const { format } = withFields(
    `${isofield(3, 'IF_CHAR', 6, 'trim="true" token="x"')}${isofield(3, 'IFA_NUMERIC', 6)}
     ${isofield(4, 'IF_NOP', 0)}${isofield(140, 'IF_CHAR', 1)}<other/>`,
  )
  expect([...format.fields.keys()]).toEqual([3])
  expect(format.fields.get(3)).toMatchObject({ type: 'n', mask: 'clear' })
})

test('a bitmap length of 16 is the most there may be, 24 allows a third', () => {
  const of = (length: number) =>
    importJpos(`<isopackager>${front.replace('"16"', `"${length}"`)}</isopackager>`, 'test').bitmap
  expect([8, 16, 24, 32].map(length => of(length).bytesMax)).toEqual([8, 16, 24, 24])
  expect(of(16)).toEqual({ encoding: 'binary', bytes: 8, bytesMax: 16 })
})
