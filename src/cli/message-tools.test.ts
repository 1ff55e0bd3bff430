import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import vectors from '../codec/vectors/messages.json' with { type: 'json' }
import { runDecode } from './decode.ts'
import { runDialect } from './dialect.ts'
import { runEncode } from './encode.ts'

const folder = mkdtempSync(join(tmpdir(), 'charsu-tools-'))
afterAll(() => rmSync(folder, { recursive: true }))

function fileWith(name: string, content: unknown): string {
  const path = join(folder, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

const packager = (name: string) => new URL(`../codec/vectors/packagers/${name}.xml`, import.meta.url).pathname

type Run = (
  args: string[],
  io: { stdin(): Promise<string>; out(text: string): void; err(text: string): void },
) => Promise<number>

async function run(command: Run, args: string[], stdin = '') {
  let out = ''
  let err = ''
  const status = await command(args, {
    stdin: async () => stdin,
    out: text => {
      out += text
    },
    err: text => {
      err += text
    },
  })
  return { status, out, err }
}

type Vector = {
  id: string
  dialect: string
  hex: string
  expected?: { mti: string; fields: object }
  errorOffset?: number
}
const messages = vectors.messages as (Vector & { lengthHeader?: object })[]
const dialects = vectors.dialects as Record<string, unknown>

describe('published messages through the tools', () => {
  test.each(messages.map(each => [each.id, each] as const))('%s', async (_id, vector) => {
    const { dialect, hex, expected, errorOffset, lengthHeader } = vector
    const options = ['--dialect', fileWith(`${dialect}.json`, dialects[dialect])]
    const framing = lengthHeader === undefined ? [] : ['--framing', 'ascii4']
    const decoded = await run(runDecode, [...options, ...framing, hex])
    const json = JSON.parse(decoded.out)
    if (errorOffset !== undefined) {
      expect(decoded.status).toBe(1)
      expect(json.error.offset).toBe(errorOffset)
      expect(decoded.err).toContain(`field ${json.error.path}, byte ${errorOffset}: `)
      return
    }
    expect(decoded).toMatchObject({ status: 0, err: '' })
    expect(json).toMatchObject(JSON.parse(JSON.stringify(expected).replaceAll('"_header"', '"header"')))
    const encoded = await run(runEncode, [...options, ...framing], decoded.out)
    expect(encoded).toEqual({ status: 0, out: `${hex.toUpperCase()}\n`, err: '' })
    expect((await run(runDecode, [...options, ...framing, '--explain', hex])).status).toBe(0)
  })
})

const echo = '0800822000000000000004000000000000001121143018000012301'
const echoHex = Buffer.from(echo, 'latin1').toString('hex')

describe('charsu decode', () => {
  test('from standard input, by the name of a shipped dialect', async () => {
    const { status, out } = await run(
      runDecode,
      ['--dialect', 'iso87a'],
      ` ${echoHex.slice(0, 20)}\n${echoHex.slice(20)}\n`,
    )
    expect({ status, json: JSON.parse(out) }).toEqual({
      status: 0,
      json: {
        mti: '0800',
        fields: { 7: '1121143018', 11: '000012', 70: '301' },
        bitmap: '82200000000000000400000000000000',
      },
    })
  })

  test('as a table, with children', async () => {
    const dialect = {
      name: 'table',
      mti: { encoding: 'bcd' },
      bitmap: { encoding: 'binary' },
      encodings: { number: 'ascii', text: 'ascii', track: 'ascii', binary: 'binary', prefix: 'ascii' },
      fields: {
        4: { name: 'Amount', type: 'n', length: 2 },
        48: { name: 'Text', type: 'any', length: 9, prefix: 1 },
        55: { name: 'Chip', type: 'b', length: 99, prefix: 2, children: { kind: 'ber-tlv', fields: {} } },
      },
    }
    const { out } = await run(runDecode, [
      ...['--explain', '--dialect', fileWith('table.json', dialect)],
      '0200 1000000000010200 3037 31 07 3034 9C0101 00',
    ])
    expect(out).toBe(
      [
        'offset  length  field   name                    raw bytes         value',
        '     0       2  mti     Message type indicator  0200              0200',
        '     2       8  bitmap  Bitmap                  1000000000010200',
        '    10       2  4       Amount                  3037              07',
        '    12       2  48      Text                    3107              \\x07',
        '    14       6  55      Chip                    30349C010100',
        '    16       3  55.9C                           9C0101            01',
        '',
      ].join('\n'),
    )
  })

  test('frames, one after the other, with their TPDU', async () => {
    const frame = `${(echo.length + 5).toString(16).padStart(4, '0')}6000010002${echoHex}`
    const { status, out } = await run(runDecode, ['--dialect', 'iso87a', '--framing', 'binary2,tpdu', frame + frame])
    expect(status).toBe(0)
    expect(out.match(/"tpdu": "6000010002"/g)).toHaveLength(2)
  })

  test.each([
    ['FFFF00', 'byte 57: trailing bytes: the 3 after the last whole frame are none (frame_too_long: '],
    ['00', 'byte 57: trailing bytes: the 1 after the last whole frame are none (a frame is cut short after 1 bytes)'],
  ])('bytes after a frame: %s', async (more, problem) => {
    const frame = `${echo.length.toString(16).padStart(4, '0')}${echoHex}`
    const { status, out, err } = await run(runDecode, ['--dialect', 'iso87a', '--framing', 'binary2', frame + more])
    expect({ status, mti: JSON.parse(out).mti }).toEqual({ status: 1, mti: '0800' })
    expect(err).toContain(`charsu decode: framing: ${problem}`)
    expect(err.match(/\n/g)).toHaveLength(1)
  })

  test('what could be read before an error', async () => {
    const { status, out, err } = await run(runDecode, ['--dialect', 'iso87a', `${echoHex}00`])
    expect({ status, err }).toEqual({
      status: 1,
      err: 'charsu decode: field message, byte 55: bytes left after the last field\n',
    })
    expect(JSON.parse(out)).toMatchObject({ fields: { 70: '301' }, error: { code: 'trailing_bytes', offset: 55 } })
  })

  test.each([
    [[], 2, '--dialect is missing'],
    [['--dialect', 'iso87a', 'ZZ'], 2, 'the message is not hexadecimal: character 1'],
    [['--dialect', 'iso87a', '303'], 2, 'an odd number of hexadecimal digits'],
    [['--dialect', 'iso87a'], 2, 'there is no message'],
    [['--dialect', 'iso99'], 2, 'there is no file and no dialect "iso99"; dialects by name: iso87a, iso87b'],
    [['--dialect', '/'], 2, "/ can't be read (EISDIR)"],
    [['--dialect', 'iso87a', '--framing', 'x', '00'], 2, '--framing must be one of binary2'],
    [['--dialect', 'iso87a', '--framing', 'binary2,x', '00'], 2, 'but no "x"'],
    [['--dialect', 'iso87a', '--framing', 'ascii4', '5858585858'], 1, 'framing: byte 0: bad_length'],
    [['--dialect', 'iso87a', '--framing', 'binary2', '000930'], 1, 'byte 0: a frame is cut short after 3 bytes'],
    [['--dialect', 'iso87a', '--framing', 'binary2', '0000'], 1, 'there is no frame but empty ones'],
    [['--nonsense'], 2, "Unknown option '--nonsense'"],
  ] as const)('%j', async (args, status, problem) => {
    const result = await run(runDecode, [...args])
    expect(result).toMatchObject({ status, out: '' })
    expect(result.err).toContain(problem)
  })
})

describe('charsu encode', () => {
  test('keeps the order of tags that look like numbers', async () => {
    const text =
      '{"mti": "1200", "fields": {"11": "000001", "55": {"9F26": "AA", "82": "5C\\u0030\\u0030", "95": "00"}}}'
    const { out } = await run(runEncode, ['--dialect', 'iso93b', '--framing', 'binary2'], text)
    expect(out).toMatch(/0000010011?9F2601AA82025C00950100\n$/i)
  })

  test.each([
    ['{', 'standard input is not JSON'],
    ['{"mti": "0200",\n "fields": {}\n', 'standard input is not JSON'],
    ['[]', 'a message must be an object'],
    [
      '{"mti": "0200", "feilds": {}}',
      'feilds: is not a member of a message (mti, fields, header, tpdu, bitmap, error)',
    ],
    ['{"mti": "0200", "fields": {}, "tpdu": "60"}', 'tpdu must be ten hexadecimal digits'],
    ['{"fields": {}}', 'mti must be a text'],
    ['{"mti": "0200"}', 'fields must be an object'],
    ['{"mti": "0200", "header": 1, "fields": {}}', 'header must be hexadecimal'],
    ['{"mti": "0200", "fields": {"x": "1"}}', 'fields.x: must be the number of a field'],
    ['{"mti": "0200", "fields": {"4": 1}}', 'fields.4: must be text or an object'],
    ['{"mti": "0200", "fields": {"4": {"1": []}}}', 'fields.4.1: must be text or an object'],
    ['{"mti": "0200", "fields": {"4": "12A"}}', 'field 4: bad_character'],
    ['{"mti": "0200", "fields": {"4": {"1": "x"}}}', 'field 4: not_composite'],
    ['{"mti": "0200", "fields": {"999": "x"}}', 'field 999: undefined_field'],
    ['{"mti": "02", "fields": {}}', 'field mti: too_short'],
  ])('%s', async (text, problem) => {
    const result = await run(runEncode, ['--dialect', 'iso87a'], text)
    expect(result).toMatchObject({ status: 1, out: '' })
    expect(result.err).toContain(`charsu encode: ${problem}`)
    expect(result.err.match(/\n/g)).toHaveLength(1)
  })

  test.each([
    [['--dialect', 'iso87a', '--tpdu', '60'], 2, '--tpdu must be ten'],
    [['--dialect', 'iso87a', '--framing', 'binary2,tpdu'], 1, 'tpdu is missing: the framing has one'],
    [['--dialect', 'iso87a', '--tpdu', '6000010002'], 2, '--tpdu needs a --framing that has one'],
  ] as const)('%j', async (args, status, problem) => {
    const result = await run(runEncode, [...args], '{"mti": "0800", "fields": {"11": "000001"}}')
    expect(result.status).toBe(status)
    expect(result.err).toContain(problem)
  })
})

test('a frame with its TPDU decodes and encodes', async () => {
  const options = ['--dialect', 'iso87a', '--framing', 'binary2,tpdu']
  const frame = `${(echo.length + 5).toString(16).padStart(4, '0')}6000010002${echoHex}`.toUpperCase()
  const { out } = await run(runDecode, [...options, frame])
  expect(await run(runEncode, options, out)).toEqual({ status: 0, out: `${frame}\n`, err: '' })
  const other = await run(runEncode, [...options, '--tpdu', '6000030004'], out)
  expect(other.out.slice(4, 14)).toBe('6000030004')
  expect(await run(runEncode, options, ' \n')).toMatchObject({ status: 2, err: expect.stringContaining('no message') })
})

test('what an import leaves out is told by each tool', async () => {
  const xml = readFileSync(packager('iso87-ascii'), 'utf8').replace(/(id="1"[^>]*length=)"16"/, '$1"8"')
  const path = fileWith('short.xml', xml)
  const problem = /^charsu (dialect|decode|encode): .*short\.xml: field 1: .* has no bit for 65–128: left out\n$/
  const shortEcho = Buffer.from('08000220000000000000' + '1121143018000012', 'latin1').toString('hex')
  const decoded = await run(runDecode, ['--dialect', path, shortEcho])
  for (const result of [
    await run(runDialect, ['import', path]),
    await run(runDialect, ['check', path]),
    decoded,
    await run(runEncode, ['--dialect', path], decoded.out),
  ]) {
    expect(result).toMatchObject({ status: 0, err: expect.stringMatching(problem) })
  }
})

describe('charsu dialect', () => {
  test.each(['iso87-ascii', 'iso87-binary', 'iso93-ascii', 'iso93-binary', 'iso93-ebcdic', 'postilion'])(
    'import of %s is a dialect that says the same',
    async name => {
      const imported = await run(runDialect, ['import', packager(name), '--name', 'mine'])
      expect(imported).toMatchObject({ status: 0, err: '' })
      expect(JSON.parse(imported.out).name).toBe('mine')
      const path = fileWith(`${name}.json`, imported.out)
      expect(await run(runDialect, ['check', path])).toEqual({
        status: 0,
        out: expect.stringMatching(/: Charsu dialect mine, \d+ fields, is right\n$/),
        err: '',
      })
      for (const line of imported.out.split('\n')) expect(line.length).toBeLessThanOrEqual(120)
    },
  )

  test('a packager decodes as it is', async () => {
    const { status, out } = await run(runDecode, ['--dialect', packager('iso87-ascii'), echoHex])
    expect({ status, fields: JSON.parse(out).fields[70] }).toEqual({ status: 0, fields: '301' })
  })

  const shipped = readFileSync(new URL('../../switch-config/dialects/iso87a.json', import.meta.url), 'utf8')
  test.each([
    ['not-json.json', '{', 1, 'neither XML nor JSON'],
    ['wrong.json', shipped.replace('"n", "length": 6', '"q", "length": 6'), 1, '/fields/3/type: must be one of a, n'],
    ['moov.json', { fields: { 0: { type: 'X', prefix: '' } } }, 1, 'field 1: the bitmap must be an object'],
    ['wrong.xml', '<isopackager>\n<isofield id="0" length="4" class="IFQ"/></isopackager>', 1, 'field 1: is missing'],
  ])('check of %s', async (name, content, status, problem) => {
    const path = fileWith(name, content)
    const result = await run(runDialect, ['check', path])
    expect(result).toMatchObject({ status, out: '' })
    expect(result.err).toContain(`charsu dialect: ${path}: `)
    expect(result.err).toContain(problem)
  })

  test.each([
    [['import', 'iso87a'], 'is no jPOS or moov-io file'],
    [['check'], 'give one FILE'],
    [['tidy', 'x'], 'import or check?'],
    [['check', 'iso99'], 'there is no file and no dialect "iso99"'],
  ])('%j', async (args, problem) => {
    const result = await run(runDialect, args)
    expect(result.status).toBe(2)
    expect(result.err).toContain(problem)
  })
})

test.each([
  ['decode', runDecode],
  ['encode', runEncode],
  ['dialect', runDialect],
] as const)('charsu %s --help', async (name, command) => {
  const { status, out } = await run(command, ['--help'])
  expect(status).toBe(0)
  expect(out).toContain(`Usage: charsu ${name}`)
})
