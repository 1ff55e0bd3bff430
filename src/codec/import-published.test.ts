import { readFileSync } from 'node:fs'
import { Compile } from 'typebox/schema'
import { describe, expect, test } from 'vitest'
import { compileDialect } from './dialect.ts'
import { importDialect } from './import-dialect.ts'
import type { Composite } from './message.ts'

/** Shapes met in published packagers and specifications, written anew; the bytes are of their own tests. */

const schemaUrl = new URL('../../switch-config/dialects/dialect.schema.json', import.meta.url)
const schema = Compile(JSON.parse(readFileSync(schemaUrl, 'utf8')))

function imported(text: string) {
  const warnings: string[] = []
  const { json } = importDialect(text, 'test', (field, problem) => warnings.push(`${field}: ${problem}`))
  expect(schema.Errors(JSON.parse(JSON.stringify(json)))).toEqual([true, []])
  return { dialect: compileDialect(json), warnings }
}

const isofield = (id: number, className: string, length: number, more = '') =>
  `<isofield id="${id}" length="${length}" name="F${id}" class="org.jpos.iso.${className}" ${more}/>`
const group = (id: number, className: string, length: number, more: string, fields: string) =>
  `<isofieldpackager id="${id}" length="${length}" name="F${id}" class="org.jpos.iso.${className}" ${more}>${fields}
   </isofieldpackager>`
const packagedBy = (name: string) => `packager="org.jpos.iso.packager.${name}"`
const front = isofield(0, 'IFA_NUMERIC', 4) + isofield(1, 'IFB_BITMAP', 16)
const jpos = (fields: string) =>
  imported(`<?xml version="1.0"?>
    <!DOCTYPE isopackager SYSTEM "genericpackager.dtd"><!-- a comment -->
    <isopackager>${front}${fields}</isopackager>`)

/** What the fields of a message become: the text after the message type and the bitmap, and back. */
function throughField({ dialect }: ReturnType<typeof imported>, number: number, value: Composite, text: string) {
  const bitmap = Buffer.alloc(8)
  bitmap[(number - 1) >> 3] = 0x80 >> ((number - 1) & 7)
  const message = { mti: '0100', fields: [], composites: new Map([[number, value]]), header: undefined }
  const bytes = dialect.pack(message)
  expect(bytes.toString('latin1')).toBe(`0100${bitmap.toString('latin1')}${text}`)
  expect(dialect.unpack(bytes)).toMatchObject({ ok: true, message: { composites: message.composites } })
}

const children = (...entries: [string, string | Composite][]): Composite => new Map(entries)
const ebcdicDigits = (text: string) =>
  Buffer.from(
    text.replace(/\d/g, digit => `F${digit}`),
    'hex',
  ).toString('latin1')

describe('subfields with tags', () => {
  const token = (id: number, className: string, text: string) =>
    isofield(id, className, 99, `token="${text}"`).replace('jpos.iso', 'jpos.tlv.packager')
  const sequence = (width: string, fields: string) =>
    group(48, 'IFA_LLLCHAR', 40, `token="${width}" packager="org.jpos.tlv.packager.TaggedSequencePackager"`, fields)
  const known = token(2, 'IFTA_LLLNUM', '0012') + token(3, 'IFTA_LLLCHAR', '0165')

  test.each([
    // fields of the packager, children, on the wire
    [
      sequence('0000', token(1, 'IFTA_LLLCHAR', '####') + known),
      children(['0012', '19960930000000'], ['0165', 'M'], ['0023', 'CT2']),
      '0390012014199609300000000165001M0023003CT2',
    ],
    [
      sequence('00', isofield(0, 'IF_CHAR', 1) + token(1, 'IFTA_LLCHAR', '##')),
      children(['header', '52'], ['12', 'A']),
      '006R1201A',
    ],
    [
      sequence('00', token(1, 'IFTA_LLLCHAR', '01') + token(2, 'IFTA_LLNUM', '02')),
      children(['01', 'A'], ['02', '77']),
      '01201001A020277',
    ],
    [
      group(48, 'IFA_LLLBINARY', 999, packagedBy('EuroSubFieldPackager'), isofield(5, 'IFEP_LLCHAR', 98)),
      children(['05', 'AB']),
      '0060405AB',
    ],
    [
      group(48, 'IFA_LLLBINARY', 999, packagedBy('EuroSubFieldPackager'), isofield(5, 'IFEP_LLLCHAR', 98)),
      children(['05', 'AB']),
      `007${ebcdicDigits('00405')}AB`,
    ],
    [
      group(48, 'IFA_LLLBINARY', 999, packagedBy('EuroSubFieldPackager'), isofield(5, 'IFELPE_LLLCHAR', 98)),
      children(['05', '12']),
      `007${ebcdicDigits('0040512')}`,
    ],
    [
      group(48, 'IFA_LLLCHAR', 999, packagedBy('EuroSubFieldPackager'), isofield(5, 'IFIPM_LLLCHAR', 98)),
      children(['0005', 'AB']),
      '0090005002AB',
    ],
  ])('%#', (fields, value, text) => {
    const made = jpos(fields)
    throughField(made, 48, value, text)
    expect(made.warnings).toEqual([])
  })

  test('a group among them, with the length in front of the tag', () => {
    const wallet = group(
      47,
      'IFEP_LLLBINARY',
      999,
      packagedBy('GICCSubFieldPackager'),
      isofield(1, 'IFEP_LLLBINARY', 4),
    )
    const made = jpos(
      group(
        60,
        'IFE_LLLBINARY',
        999,
        packagedBy('GICCSubFieldPackager'),
        isofield(0, 'IF_CHAR', 9) + isofield(40, 'IFEP_LLLBINARY', 2) + wallet,
      ),
    )
    throughField(
      made,
      60,
      children(['40', 'F0F7'], ['47', children(['01', 'F1F0F1'])]),
      ebcdicDigits('02000440070104700501101'),
    )
    expect(made.warnings).toEqual(['60.0: a filler that may stand in front is left out: a message with it is refused'])
  })

  test('tags that only a mapper in Java knows', () => {
    const mapped = (mapper: string) =>
      jpos(
        group(
          48,
          'IFA_LLLCHAR',
          999,
          `${packagedBy('GenericTaggedFieldsPackager')} tagMapper="org.jpos.iso.packager.${mapper}"`,
          isofield(1, 'IFA_TTLLCHAR', 29),
        ),
      )
    const unknown = mapped('MyMapper')
    throughField(unknown, 48, children(['AV', 'X']), '005AV01X')
    expect(unknown.warnings[0]).toContain('48: the tags of MyMapper are not known here')
    const decimal = mapped('TTDecimalTagMapper')
    throughField(decimal, 48, children(['01', 'X']), '0050101X')
    expect(decimal.warnings).toEqual([])
  })

  test.each([
    [sequence('00000', token(1, 'IFTA_LLLCHAR', '####')), 'field 48.1 (line 3): "####" is no tag of 5 characters'],
    [
      group(48, 'IFA_LLLCHAR', 99, packagedBy('EuroSubFieldPackager'), token(1, 'IFTA_LLCHAR', '01')),
      'field 48 (line 3): has no token',
    ],
    [
      group(
        48,
        'IFA_LLLCHAR',
        99,
        packagedBy('EuroSubFieldPackager'),
        isofield(1, 'IFMC_LLCHAR', 1) + isofield(2, 'IFA_TTTLLLCHAR', 1),
      ),
      'field 48.2 (line 3): subfields with tags must all have tags alike',
    ],
  ])('%#: what is refused', (fields, problem) => {
    expect(() => jpos(fields)).toThrow(problem)
  })
})

describe('subfields one after the other', () => {
  const texts = isofield(0, 'IF_CHAR', 1) + isofield(1, 'IF_CHAR', 2)
  const positional = (packager: string, more: string, fields = texts) =>
    group(48, 'IFA_LLLCHAR', 99, `${packagedBy(packager)} emitBitmap="false" ${more}`, fields)

  test.each([
    ['from field 1 unless told', positional('GenericSubFieldPackager', ''), children(['1', 'BC']), '002BC', 1],
    [
      'from field 0 if told',
      positional('GenericSubFieldPackager', 'firstField="0"'),
      children(['0', 'A'], ['1', 'BC']),
      '003ABC',
      0,
    ],
    [
      'field 0 alone',
      positional('GenericSubFieldPackager', '', isofield(0, 'IF_CHAR', 1)),
      children(['0', 'A']),
      '001A',
      0,
    ],
    ['field 0 like a message type', positional('GenericPackager', ''), children(['0', 'A'], ['1', 'BC']), '003ABC', 0],
  ])('%s', (_name, fields, value, text, warnings) => {
    const made = jpos(fields)
    throughField(made, 48, value, text)
    expect(made.warnings).toHaveLength(warnings)
  })
})

describe('what is left out is told', () => {
  test.each([
    [
      'fields beyond the bitmap',
      isofield(1, 'IFB_BITMAP', 8) +
        isofield(3, 'IF_CHAR', 1) +
        isofield(66, 'IF_CHAR', 1) +
        isofield(67, 'IF_CHAR', 1),
      ['1: a bitmap of at most 8 bytes has no bit for 66–67: left out'],
    ],
    [
      'a subfield whose bit says that more of the bitmap follows',
      group(
        49,
        'IFA_LLLBINARY',
        99,
        `${packagedBy('GenericSubFieldPackager')} emitBitmap="true" bitmapField="0"`,
        isofield(0, 'IFB_BITMAP', 16) + isofield(1, 'IF_CHAR', 1) + isofield(2, 'IF_CHAR', 1),
      ),
      ['49: a bitmap of at most 16 bytes has no bit for 1: left out'],
    ],
    [
      'a packager that jPOS itself could not use',
      group(127, 'IFB_LLHBINARY', 255, packagedBy('GenericSubFieldPackager'), isofield(1, 'IFB_LLHNUM', 19)),
      ['127: field 1 of its subfields is no bitmap, which jPOS needs without emitBitmap="false": kept whole'],
    ],
    [
      'the inside of datasets',
      group(43, 'IFB_LLLLBINARY', 9999, packagedBy('DatasetPackager'), isofield(2, 'IFB_LLCHAR', 50)),
      ['43: what is in the objects of DatasetPackager is not taken apart: their subfields are left out'],
    ],
  ])('%s', (_name, fields, warnings) => {
    expect(jpos(fields).warnings).toEqual(warnings)
  })

  test('and refused where nothing is left', () => {
    expect(() => jpos(isofield(1, 'IFB_BITMAP', 8) + isofield(90, 'IF_CHAR', 1))).toThrow(
      'field 1: a bitmap of at most 8 bytes has no bit for 90, and there is no other field',
    )
  })
})

describe('moov-io', () => {
  const text = (length: number, prefix = 'ASCII.Fixed') => ({ type: 'String', length, enc: 'ASCII', prefix })
  const moov = (bitmap: object, fields: object) =>
    imported(
      JSON.stringify({
        fields: { 0: text(4), 1: { type: 'Bitmap', enc: 'HexToASCII', prefix: 'Hex.Fixed', ...bitmap }, ...fields },
      }),
    )
  const bytesOf = ({ dialect }: ReturnType<typeof imported>) =>
    dialect
      .pack({ mti: '0100', fields: [undefined, undefined, '12'], composites: undefined, header: undefined })
      .toString()

  test('a bitmap length had no meaning while its encoding was called Hex', () => {
    const old = moov({ length: 16, enc: 'Hex' }, { 2: text(19, 'ASCII.LL') })
    expect(bytesOf(old)).toBe('010040000000000000000212')
    expect(old.warnings).toEqual([])
    const present = moov({ length: 16 }, { 2: text(19, 'ASCII.LL') })
    expect(bytesOf(present)).toBe(`0100${'4'.padEnd(32, '0')}0212`)
    expect(present.warnings).toEqual([expect.stringContaining('1: its bitmap is read in whole 16 bytes')])
  })

  test('the names of Go types', () => {
    const exported = (type: string, encoder: string, prefixer: string, more: object) => ({
      type: `field.${type}`,
      enc: `encoding.${encoder}Encoder`,
      prefix: `prefix.${prefixer}Prefixer`,
      ...more,
    })
    const made = imported(
      JSON.stringify({
        fields: {
          Field000: exported('String', 'ascii', 'asciiFixed', { length: 4, prefix_length: 0 }),
          Field001: exported('Bitmap', 'hex', 'hexFixed', { length: 16, prefix_length: 0 }),
          Field002: exported('String', 'ascii', 'asciiVar', { length: 19, prefix_length: 2 }),
          Field003: exported('Numeric', 'ascii', 'asciiFixed', {
            length: 6,
            prefix_length: 0,
            padding: { type: 'padding.leftPadder', pad: 48 },
          }),
        },
      }),
    )
    expect(bytesOf(made)).toBe('010040000000000000000212')
    expect(made.dialect.format.fields.get(3)).toMatchObject({ type: 'n', padding: { side: 'left', character: '0' } })
    expect(() =>
      imported(
        JSON.stringify({ fields: { Field000: exported('String', 'utf8', 'asciiFixed', { length: 4 }), Field001: {} } }),
      ),
    ).toThrow('field 1')
  })

  test.each([
    // the first form: number and length encodings, the bytes of a field 2 of three digits
    ['CHAR', 'RBCD', '0003313233'],
    ['RBCD', 'RBCD', '00030123'],
    ['BCD', 'RBCD', '00031230'],
  ])('digits in %s, lengths in %s', (number, length, hex) => {
    const encoding = { num_enc: number, len_enc: length }
    const { dialect } = imported(JSON.stringify({ elements: { 2: { Describe: 'n...19' } }, encoding }))
    const message = { mti: '0100', fields: [undefined, undefined, '123'], composites: undefined, header: undefined }
    const bytes = dialect.pack(message)
    expect(bytes.subarray(20).toString('hex')).toBe(hex)
    expect(dialect.unpack(bytes)).toMatchObject({ ok: true })
    expect(dialect.unpack(bytes).message.fields[2]).toBe('123')
  })

  test('a length with its spare half byte at the right is refused', () => {
    const encoding = { len_enc: 'BCD' }
    expect(() => imported(JSON.stringify({ elements: { 2: { Describe: 'n...19' } }, encoding }))).toThrow(
      'field 2: a length of 3 digits in BCD is not possible, only in RBCD',
    )
  })

  test('a length beyond its prefix, and a bitmap that has no continuation', () => {
    const made = moov(
      { length: 8 },
      {
        60: {
          type: 'Composite',
          length: 255,
          prefix: 'ASCII.LL',
          bitmap: { type: 'Bitmap', length: 8, enc: 'HexToASCII', prefix: 'Hex.Fixed', disableautoexpand: true },
          subfields: { 1: text(2), 10: text(6), 70: text(1) },
        },
      },
    )
    expect(made.dialect.format.fields.get(60)!.length).toBe(99)
    expect(made.warnings).toEqual(['60: a bitmap of at most 8 bytes has no bit for 70: left out'])
    const composites = new Map([[60, children(['10', '11 456'])]])
    const bytes = made.dialect.pack({ mti: '0100', fields: [], composites, header: undefined })
    expect(bytes.toString('latin1')).toBe('0100000000000000001022004000000000000011 456')
  })
})
