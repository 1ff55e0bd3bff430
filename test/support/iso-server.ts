import { createSecretKey } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import type { Dialect } from '../../src/codec/dialect.ts'
import { defaultFraming, encodeFrame, FrameReader } from '../../src/codec/framing.ts'
import type { Message } from '../../src/codec/message.ts'
import type { Command } from '../../src/core/commands.ts'
import type { Micros } from '../../src/core/ids.ts'
import type { Decision } from '../../src/core/transactions.ts'
import type { Pressure, Result, Submit } from '../../src/engine/result.ts'
import type { ExchangeRecord, Log } from '../../src/iso8583/exchange-types.ts'
import { createIsoServer, type IsoListener, type IsoServer, type IsoServerDeps } from '../../src/iso8583/server.ts'
import { readDialect, testTenant } from './terminal.ts'

export const dialect = readDialect('iso87a')
export const panKey = createSecretKey('the pan key of a test', 'utf8')

/** 2026-11-21T14:30:00Z */
export const noon: Micros = 1_795_271_400_000_000

/** An engine in memory: it remembers its answers by key, answers when it is told to, and can be full. */
export class FakeEngine implements Submit, Pressure {
  readonly submitted: Command[] = []
  isFull = false
  /** False: answers wait for `answerAll`. */
  answersAtOnce = true
  respond: (command: Command) => Result = command => approve(command, this.submitted.length)
  #waiting: (() => void)[] = []
  #drained: (() => void)[] = []

  submit(command: Command): Promise<Result> {
    this.submitted.push(command)
    const result = this.respond(command)
    if (this.answersAtOnce) return Promise.resolve(result)
    return new Promise(resolve => this.#waiting.push(() => resolve(result)))
  }

  /** In the order given by `order`; first come, first served if it is left out. */
  answerAll(order: (count: number) => number[] = count => Array.from({ length: count }, (_, index) => index)): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const index of order(waiting.length)) waiting[index]?.()
  }

  onceDrained(listener: () => void): void {
    this.#drained.push(listener)
  }

  drain(): void {
    this.isFull = false
    for (const listener of this.#drained.splice(0)) listener()
  }
}

export function approve(command: Command, index: number): Result {
  const decision: Decision = {
    key: command.key,
    day: 20_778,
    content: command.content,
    kind: command.kind,
    reason: 'approved',
    transaction: null,
    phase: null,
    amounts: null,
    postings: [],
    balances: null,
    batch: 1,
    index,
    at: noon,
  }
  return { kind: 'decided', decision, transaction: null, replayed: false }
}

export interface LogLine {
  readonly level: keyof Log
  readonly sentence: string
  readonly fields: Readonly<Record<string, unknown>>
}

export interface TestSwitch {
  readonly server: IsoServer
  readonly port: number
  readonly lines: LogLine[]
  readonly records: ExchangeRecord[]
  readonly closed: string[]
  /** Moves the clock. */
  pass(ms: number): void
}

export type TestSwitchOptions = Partial<Omit<IsoServerDeps, 'listeners'>> & { readonly listener?: Partial<IsoListener> }

/** The terminal edge on a free port, in front of `engine`. */
export async function startIso(engine: Submit & Pressure, options: TestSwitchOptions = {}): Promise<TestSwitch> {
  const lines: LogLine[] = []
  const records: ExchangeRecord[] = []
  const closed: string[] = []
  let now = noon
  const { listener, ...deps } = options
  const server = createIsoServer({
    listeners: [{ port: 0, framing: defaultFraming, dialect, tenant: testTenant.id, ...listener }],
    submit: engine,
    pressure: engine,
    panKey,
    log: logInto(lines),
    onExchange: record => records.push(record),
    onConnectionClosed: reason => closed.push(reason),
    tenantOf: tenant => (tenant === testTenant.id ? testTenant : undefined),
    now: () => now,
    ...deps,
  })
  const [port] = await server.listen()
  const pass = (ms: number): void => {
    now += ms * 1000
  }
  return { server, port: port!, lines, records, closed, pass }
}

function logInto(lines: LogLine[]): Log {
  const at = (level: keyof Log) => (fields: object, sentence: string) =>
    void lines.push({ level, sentence, fields: { ...fields } })
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** A terminal without a library: it sends bytes and reads frames. */
export class RawTerminal {
  readonly socket: Socket
  readonly replies: Message[] = []
  isEnded = false
  isClosed = false
  #watchers: (() => void)[] = []

  constructor(port: number, of: Dialect = dialect) {
    this.socket = connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true })
    const reader = new FrameReader(defaultFraming)
    this.socket.on('data', chunk => {
      for (const { body } of reader.push(chunk as Buffer).frames) this.replies.push(of.unpack(body).message)
      this.#tell()
    })
    this.socket.on('end', () => {
      this.isEnded = true
      this.#tell()
    })
    this.socket.on('error', () => undefined)
    this.socket.on('close', () => {
      this.isClosed = true
      this.#tell()
    })
  }

  #tell(): void {
    for (const watcher of this.#watchers.splice(0)) watcher()
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>(resolve => this.#watchers.push(resolve))
  }

  /** Waits for `count` replies and gives them all. */
  async take(count: number): Promise<Message[]> {
    await this.until(() => this.replies.length >= count || this.isEnded || this.isClosed)
    return this.replies
  }

  async ended(): Promise<void> {
    await this.until(() => this.isEnded || this.isClosed)
  }
}

export const frameOf = (message: Message): Buffer => encodeFrame(defaultFraming, dialect.pack(message))
