import { parseArgs } from 'node:util'
import { CodecError } from '../codec/errors.ts'
import { encodeFrame, FrameError } from '../codec/framing.ts'
import { failure } from './decode.ts'
import { loadDialect, onOneLine } from './dialect-file.ts'
import { framingOf, framingUsage } from './framing-option.ts'
import { exit, type Io, processIo, UsageError } from './io.ts'
import { MessageJsonError, parseMessage } from './message-json.ts'

const usage = `Usage: charsu encode --dialect FILE [options] < message.json

Prints an ISO 8583 message in hexadecimal. Standard input has it as JSON, as charsu decode prints it: mti, fields by
number, header where the dialect has one, tpdu where the framing has one. Binary values are hexadecimal; fields with
children are objects.

Options
  --dialect FILE    a dialect of Charsu, a jPOS packager (XML), a moov-io/iso8583 specification (JSON),
                    or the name of a dialect in switch-config/dialects (iso87a)
  --framing KIND    put a length in front: ${framingUsage}
  --tpdu HEX        the five bytes of the TPDU that the framing has, instead of the tpdu of the message

Ends with 0 if it worked, 1 if the dialect can't carry the message (the error names the field), 2 if the command is
wrong.
`

const options = {
  dialect: { type: 'string' },
  framing: { type: 'string' },
  tpdu: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const

/** `charsu encode`. Answers the exit status. */
export async function runEncode(args: string[], io: Io = processIo): Promise<number> {
  try {
    const { values } = parseArgs({ args, options })
    if (values.help) {
      io.out(usage)
      return exit.ok
    }
    if (values.dialect === undefined) throw new UsageError('--dialect is missing; charsu encode --help says more')
    const framing = values.framing === undefined ? undefined : framingOf(values.framing)
    if (values.tpdu !== undefined && !/^[0-9A-Fa-f]{10}$/.test(values.tpdu)) {
      throw new UsageError('--tpdu must be ten hexadecimal digits')
    }
    if (values.tpdu !== undefined && framing?.tpdu !== true) {
      throw new UsageError('--tpdu needs a --framing that has one, as in binary2,tpdu')
    }
    const dialect = loadDialect(values.dialect, warning => io.err(`charsu encode: ${warning}\n`))
    const given = await io.stdin()
    if (given.trim() === '') throw new UsageError('there is no message: give it as JSON on standard input')
    const { message, tpdu: own } = parseMessage(given)
    const tpduHex = values.tpdu ?? own
    if (framing?.tpdu === true && tpduHex === undefined) {
      throw new MessageJsonError('tpdu is missing: the framing has one; give it in the message or as --tpdu')
    }
    const body = dialect.pack(message)
    const tpdu = tpduHex === undefined ? undefined : Buffer.from(tpduHex, 'hex')
    const bytes = framing === undefined ? body : encodeFrame(framing, body, tpdu)
    io.out(`${bytes.toString('hex').toUpperCase()}\n`)
    return exit.ok
  } catch (error) {
    if (error instanceof CodecError) io.err(`charsu encode: field ${error.message}\n`)
    else if (error instanceof MessageJsonError || error instanceof FrameError)
      io.err(`charsu encode: ${error.message}\n`)
    else if (error instanceof SyntaxError)
      io.err(`charsu encode: standard input is not JSON: ${onOneLine(error.message)}\n`)
    else return failure('encode', error, io)
    return exit.wrong
  }
}
