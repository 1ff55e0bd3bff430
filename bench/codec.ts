import { createRequire } from 'node:module'
import { compileDialect, type Dialect } from '../src/codec/dialect.ts'
import { type Message, newMessage } from '../src/codec/message.ts'
import iso87a from '../switch-config/dialects/iso87a.json' with { type: 'json' }
import iso87b from '../switch-config/dialects/iso87b.json' with { type: 'json' }

/** The part of `iso_8583` (npm) that is measured; the package has no types. */
type Rival = {
  getBufferMessage(): Buffer | { error: string }
  getIsoJSON(bytes: Buffer): Record<string, string>
}
const RivalMessage: new (message?: Record<string, string>) => Rival = createRequire(import.meta.url)('iso_8583')

/** Nanoseconds a message: the median of the rounds. Ratios are against `iso_8583` in the same rounds. */
export type CodecFigures = {
  message: string
  fields: number
  packNs: number
  unpackNs: number
  scanNs: number
  rivalPackNs: number
  rivalUnpackNs: number
  packRatio: number
  unpackRatio: number
  packedPackNs: number
  packedUnpackNs: number
}

const purchase: Record<number, string> = {
  2: '9364000000000017',
  3: '000000',
  4: '000000001000',
  7: '0911131411',
  11: '000123',
  12: '131411',
  13: '0911',
  14: '3012',
  18: '5411',
  22: '051',
  25: '00',
  32: '423935',
  37: '425413000123',
  41: 'T0000001',
  42: 'M00000000000001',
  49: '364',
}

/** 48 more, of those that `iso_8583` writes as ISO 8583:1987 does. */
const further: Record<number, string> = {
  5: '000000001000',
  6: '000000001000',
  8: '00000000',
  9: '61000000',
  10: '61000000',
  15: '0912',
  16: '0911',
  17: '0911',
  19: '364',
  20: '364',
  21: '364',
  23: '001',
  24: '200',
  26: '12',
  27: '6',
  33: '111111111',
  35: '9364000000000017=30121011758928889',
  38: '123456',
  39: '00',
  40: '101',
  43: 'Bazaar, chahar su, shop 12          IRTH',
  44: 'approved',
  45: 'B9364000000000017',
  46: 'additional',
  47: 'national',
  48: 'private data of the terminal',
  50: '364',
  51: '364',
  54: '0002364C000000001000',
  55: 'reserved',
  60: 'reserved for national use',
  61: 'reserved for private use',
  62: 'reserved for private use',
  63: 'reserved for private use',
  66: '1',
  67: '01',
  70: '301',
  71: '0001',
  72: '0002',
  73: '260911',
  74: '0000000010',
  75: '0000000001',
  76: '0000000100',
  86: '0000000000100000',
  90: '020000012309111314110000042393500000000000',
  95: '000000001000000000001000C00000000C00000000',
  100: '111111111',
  102: '0123456789012345',
}

/** Packs and unpacks a 16-field 0200 and a 64-field message, here and with `iso_8583`, turn and turn about. */
export function benchCodec({ rounds = 15, roundMs = 20 } = {}): CodecFigures[] {
  const dialect = compileDialect(iso87a)
  const packed = compileDialect(iso87b)
  return [
    { name: '0200 with 16 fields', values: purchase },
    { name: '0200 with 64 fields', values: { ...purchase, ...further } },
  ].map(({ name, values }) => benchMessage(name, values, dialect, packed, rounds, roundMs))
}

function benchMessage(
  name: string,
  values: Record<number, string>,
  dialect: Dialect,
  packedDialect: Dialect,
  rounds: number,
  roundMs: number,
): CodecFigures {
  const message = newMessage('0200')
  for (const [number, value] of Object.entries(values)) message.fields[Number(number)] = value
  const bytes = dialect.pack(message)
  const packedBytes = packedDialect.pack(message)
  const rivalValues = { 0: '0200', ...values }
  const rivalBytes = new RivalMessage(rivalValues).getBufferMessage()
  if (!Buffer.isBuffer(rivalBytes)) throw new Error(`iso_8583 refuses the message: ${JSON.stringify(rivalBytes)}`)
  const count = Object.keys(values).length
  checkSame(dialect, bytes, message)
  checkSame(packedDialect, packedBytes, message)
  const rivalCount = Object.keys(new RivalMessage().getIsoJSON(rivalBytes)).length
  if (rivalCount !== count + 1) throw new Error(`iso_8583 reads ${rivalCount} of ${count + 1} fields`)

  const figures = measure(
    {
      pack: () => dialect.pack(message).length,
      unpack: () => lengthOf(dialect, bytes),
      scan: () => dialect.scan(bytes, [11, 41]).message.fields.length,
      packedPack: () => packedDialect.pack(message).length,
      packedUnpack: () => lengthOf(packedDialect, packedBytes),
      rivalPack: () => Object.keys(new RivalMessage(rivalValues).getBufferMessage()).length,
      rivalUnpack: () => (new RivalMessage().getIsoJSON(rivalBytes)[11] ?? '').length,
    },
    rounds,
    roundMs,
  )
  return {
    message: name,
    fields: count,
    packNs: figures.pack,
    unpackNs: figures.unpack,
    scanNs: figures.scan,
    rivalPackNs: figures.rivalPack,
    rivalUnpackNs: figures.rivalUnpack,
    packRatio: figures.rivalPack / figures.pack,
    unpackRatio: figures.rivalUnpack / figures.unpack,
    packedPackNs: figures.packedPack,
    packedUnpackNs: figures.packedUnpack,
  }
}

function lengthOf(dialect: Dialect, bytes: Buffer) {
  const result = dialect.unpack(bytes)
  return result.ok ? result.message.fields.length : -1
}

function checkSame(dialect: Dialect, bytes: Buffer, message: Message) {
  const result = dialect.unpack(bytes)
  if (!result.ok) throw new Error(`${dialect.format.name} does not read what it wrote: ${result.error.path}`)
  if (result.message.fields.some((value, number) => value !== message.fields[number])) {
    throw new Error(`${dialect.format.name} reads other values than it wrote`)
  }
}

/** Kept and read at the end, so that no call can be optimised away. */
let consumed = 0

function measure<Name extends string>(calls: Record<Name, () => number>, rounds: number, roundMs: number) {
  const names = Object.keys(calls) as Name[]
  const samples = new Map(names.map(name => [name, [] as number[]]))
  for (let round = 0; round < rounds + 2; round++) {
    for (const name of names) {
      const nanoseconds = timePerCall(calls[name], roundMs)
      // The first two rounds only warm up.
      if (round >= 2) samples.get(name)?.push(nanoseconds)
    }
  }
  if (consumed === 0) throw new Error('nothing was measured')
  return Object.fromEntries(names.map(name => [name, median(samples.get(name) ?? [])])) as Record<Name, number>
}

function timePerCall(call: () => number, milliseconds: number) {
  const start = process.hrtime.bigint()
  const end = start + BigInt(milliseconds) * 1_000_000n
  let calls = 0
  let now = start
  while (now < end) {
    for (let i = 0; i < 200; i++) consumed += call()
    calls += 200
    now = process.hrtime.bigint()
  }
  return Number(now - start) / calls
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

// In a process of its own: what a test runner makes of the code is not what is measured.
if (import.meta.main) process.stdout.write(JSON.stringify(benchCodec({ rounds: 5, roundMs: 8 })))
