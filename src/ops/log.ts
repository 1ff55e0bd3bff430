import { type DestinationStream, type Logger, pino, stdSerializers } from 'pino'
import { type BufferedOutput, bufferedOutput } from './buffered-output.ts'
import { maskCardNumbers } from './mask.ts'
import { TransactionLog, type WriteLine } from './transaction-log.ts'

/** A pino logger; the lines of transactions, which are nearly all there are, have a cheaper way to the same stream. */
export interface SwitchLog extends Logger {
  readonly transactions: TransactionLog
  /** Resolves when every line is written, or after two seconds: before `process.exit`, which waits for none. */
  drain(): Promise<void>
  linesLeftOut(): number
}

type LogStream = DestinationStream & Partial<Pick<BufferedOutput, 'writeBytes' | 'drain' | 'linesLeftOut'>>

/** JSON lines on standard output, buffered so that a line costs no system call; flushed twice a second and on exit. */
export function createLog(level: string, stream: LogStream = bufferedOutput()): SwitchLog {
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
      serializers: { err: withoutValues },
      hooks: { streamWrite: maskCardNumbers },
    },
    stream,
  )
  const transactions = new TransactionLog(linesTo(stream), log.isLevelEnabled('info'))
  return Object.assign(log, {
    transactions,
    drain: async () => stream.drain?.(),
    linesLeftOut: () => stream.linesLeftOut ?? 0,
  })
}

function linesTo(stream: LogStream): WriteLine {
  if (stream.writeBytes !== undefined) return (bytes, length) => stream.writeBytes?.(bytes, length)
  return (bytes, length) => stream.write(bytes.toString('utf8', 0, length))
}

/** An error of the database tells the values of a row in these two: a mobile number, a reference as it was given. */
function withoutValues(error: Error): unknown {
  const told: unknown = stdSerializers.err(error)
  if (typeof told !== 'object' || told === null) return told
  const { detail, where, ...rest } = told as Record<string, unknown>
  return rest
}
