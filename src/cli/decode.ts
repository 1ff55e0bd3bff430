import { parseArgs } from 'node:util'
import type { Dialect } from '../codec/dialect.ts'
import type { UnpackError } from '../codec/errors.ts'
import { bitmapOf, explain } from '../codec/explain.ts'
import { type Frame, FrameReader, type Framing } from '../codec/framing.ts'
import type { Composite, Message } from '../codec/message.ts'
import { DialectFileError, loadDialect } from './dialect-file.ts'
import { framingOf, framingUsage } from './framing-option.ts'
import { exit, type Io, processIo, UsageError } from './io.ts'
import { messageMembers, type OrderedJson, stringify } from './message-json.ts'

const usage = `Usage: charsu decode --dialect FILE [options] [HEX]

Prints an ISO 8583 message as JSON: mti, fields by number (those with children nested), bitmap and header.
HEX is the message in hexadecimal, with white space as you like; without it, it is read from standard input.
All values are printed in clear, card numbers too: keep what this prints as you keep the message.

Options
  --dialect FILE    a dialect of Charsu, a jPOS packager (XML), a moov-io/iso8583 specification (JSON),
                    or the name of a dialect in switch-config/dialects (iso87a)
  --framing KIND    the bytes begin with a length: ${framingUsage}
  --explain         print a table: offset, length, field, name, raw bytes, value

Ends with 0 if the message decodes, 1 if it does not (what could be read is printed, with the error: its field and
the offset of the byte), 2 if the command is wrong.
`

const options = {
  dialect: { type: 'string' },
  framing: { type: 'string' },
  explain: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

/** `charsu decode`. Answers the exit status. */
export async function runDecode(args: string[], io: Io = processIo): Promise<number> {
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
    if (values.help) {
      io.out(usage)
      return exit.ok
    }
    if (values.dialect === undefined) throw new UsageError('--dialect is missing; charsu decode --help says more')
    const framing = values.framing === undefined ? undefined : framingOf(values.framing)
    const dialect = loadDialect(values.dialect, warning => io.err(`charsu decode: ${warning}\n`))
    const bytes = bytesOf(positionals.length > 0 ? positionals.join('') : await io.stdin())
    const { frames, problem } =
      framing === undefined ? { frames: [{ body: bytes, tpdu: undefined }] } : framesOf(framing, bytes)
    const isGood = frames.map(frame => printFrame(dialect, frame, values.explain, io))
    if (problem !== undefined) io.err(`charsu decode: framing: ${problem}\n`)
    return problem === undefined && isGood.every(Boolean) ? exit.ok : exit.wrong
  } catch (error) {
    return failure('decode', error, io)
  }
}

/** Says what was wrong, and which status that is. Throws what is not expected. */
export function failure(command: string, error: unknown, io: Io): number {
  const isUsage =
    error instanceof UsageError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') === true
  if (!isUsage && !(error instanceof DialectFileError)) throw error
  io.err(`charsu ${command}: ${(error as Error).message}\n`)
  return isUsage ? exit.usage : exit.wrong
}

function bytesOf(given: string) {
  const hexadecimal = given.replace(/\s+/g, '')
  const bad = /[^0-9A-Fa-f]/.exec(hexadecimal)
  if (hexadecimal === '') throw new UsageError('there is no message: give it as HEX, or on standard input')
  if (bad !== null) throw new UsageError(`the message is not hexadecimal: character ${bad.index + 1}`)
  if (hexadecimal.length % 2 !== 0) throw new UsageError('the message has an odd number of hexadecimal digits')
  return Buffer.from(hexadecimal, 'hex')
}

/** The whole frames, and what is wrong with the bytes after them. */
function framesOf(framing: Framing, bytes: Buffer): { frames: Frame[]; problem?: string } {
  const reader = new FrameReader(framing)
  const { frames, error } = reader.push(bytes)
  if (error === undefined && reader.pendingBytes === 0) {
    return frames.length > 0 ? { frames } : { frames, problem: 'there is no frame but empty ones' }
  }
  const last = frames.at(-1)?.body
  const cutShort = `a frame is cut short after ${reader.pendingBytes} bytes`
  if (last === undefined) return { frames, problem: `byte 0: ${error?.message ?? cutShort}` }
  const end = last.byteOffset - bytes.byteOffset + last.length
  const left = bytes.length - end
  const why = error?.message ?? cutShort
  return { frames, problem: `byte ${end}: trailing bytes: the ${left} after the last whole frame are none (${why})` }
}

function printFrame(dialect: Dialect, { body, tpdu }: Frame, asTable: boolean, io: Io): boolean {
  const result = dialect.unpack(body)
  if (asTable) io.out(tableOf(dialect, body, result.message))
  else io.out(`${stringify(membersOf(dialect, body, result.message, tpdu, result.ok ? undefined : result.error))}\n`)
  if (!result.ok)
    io.err(`charsu decode: field ${result.error.path}, byte ${result.error.offset}: ${result.error.text}\n`)
  return result.ok
}

function membersOf(
  { format }: Dialect,
  body: Buffer,
  message: Message,
  tpdu: Buffer | undefined,
  error: UnpackError | undefined,
): OrderedJson {
  const members = messageMembers(message)
  const bitmap = bitmapOf(format, body)
  if (bitmap !== undefined) members.set('bitmap', bitmap)
  if (message.header !== undefined) members.set('header', message.header)
  if (tpdu !== undefined) members.set('tpdu', tpdu.toString('hex').toUpperCase())
  if (error !== undefined) members.set('error', new Map(Object.entries(error)))
  return members
}

const rawCharactersMax = 48

function tableOf(dialect: Dialect, body: Buffer, message: Message): string {
  const rows = explain(dialect.format, body).map(({ path, name, offset, bytes }) => {
    const raw = bytes.toString('hex').toUpperCase()
    return [
      String(offset),
      String(bytes.length),
      path,
      name,
      raw.length > rawCharactersMax ? `${raw.slice(0, rawCharactersMax - 1)}…` : raw,
      shown(valueAt(message, path)),
    ]
  })
  const all = [['offset', 'length', 'field', 'name', 'raw bytes', 'value'], ...rows]
  const widths = all[0]!.map((_, column) => Math.max(...all.map(row => row[column]!.length)))
  const lines = all.map(row =>
    row
      .map((cell, column) => (column < 2 ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd(),
  )
  return `${lines.join('\n')}\n`
}

function valueAt(message: Message, path: string): string {
  if (path === 'mti') return message.mti
  if (path === 'header') return message.header ?? ''
  const [first = '', ...rest] = path.split('.')
  const number = Number.parseInt(first, 10)
  let value: string | Composite | undefined = message.fields[number] ?? message.composites?.get(number)
  for (const key of rest) value = typeof value === 'object' ? value.get(key) : undefined
  return typeof value === 'string' ? value : ''
}

/** Control characters would move the cursor of a screen. */
const shown = (value: string) =>
  value.replace(/[\p{Cc}]/gu, character => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
