import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Dialect } from '../codec/dialect.ts'
import { defaultFraming, encodeFrame, FrameReader, type Framing } from '../codec/framing.ts'
import type { Message } from '../codec/message.ts'
import type { MacMethod } from '../crypto/mac.ts'
import { MacGuard } from './mac-guard.ts'
import { replyMtiOf } from './mti.ts'

export interface IsoClientOptions {
  readonly host: string
  readonly port: number
  readonly dialect: Dialect
  readonly framing?: Framing
  /** How long `send` waits for an answer where it is not told. */
  readonly timeoutMs?: number
  readonly connectTimeoutMs?: number
  /** TLS; `ca`, and `cert` and `key` for mutual TLS, are PEM texts. Left out: plain TCP. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string }
  /** Requests carry a MAC, and an approval without a right one is no answer. */
  readonly mac?: { readonly method: MacMethod; readonly key: Buffer }
}

/**
 * Why there is no answer. The request may have had its effect, or may not; only after `not_admitted` it has none: the
 * switch did not take the terminal's certificate.
 */
export class NoAnswerError extends Error {
  readonly code: 'timeout' | 'connection_lost' | 'bad_answer' | 'not_admitted'

  constructor(code: NoAnswerError['code'], text: string) {
    super(text)
    this.name = 'NoAnswerError'
    this.code = code
  }
}

interface Waiter {
  readonly request: Message
  readonly timer: NodeJS.Timeout
  resolve(reply: Message): void
  reject(error: NoAnswerError): void
}

const timeoutByDefaultMs = 10_000
/** In TLS 1.3 a terminal takes the handshake for done before the switch has looked at its certificate. */
const handshakeAlerts = /^ERR_SSL_\S*ALERT\S*(?:CERTIFICATE|UNKNOWN_CA|HANDSHAKE_FAILURE|ACCESS_DENIED)/
const tpduOfClient = Buffer.from('6000000000', 'hex')

/** A terminal's side of one connection: any number of requests at once, replies in any order. Opens it. */
export async function connectIsoClient(options: IsoClientOptions): Promise<IsoClient> {
  const { host, port, tls, connectTimeoutMs = timeoutByDefaultMs } = options
  const socket = tls === undefined ? connect({ host, port, noDelay: true }) : connectTls({ host, port, ...tls })
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new NoAnswerError('timeout', `no connection to ${host}:${port} in ${connectTimeoutMs} ms`))
    }, connectTimeoutMs)
    socket.once('error', error => {
      clearTimeout(timer)
      reject(new NoAnswerError('connection_lost', error.message || `no connection to ${host}:${port}`))
    })
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      clearTimeout(timer)
      socket.removeAllListeners('error')
      resolve()
    })
  })
  return new IsoClient(socket, options)
}

export class IsoClient {
  readonly socket: Socket
  readonly #dialect: Dialect
  readonly #framing: Framing
  readonly #timeoutMs: number
  readonly #reader: FrameReader
  /** By reply MTI and STAN; the rest of the match is made on the few that share these. */
  readonly #waiters = new Map<string, Waiter[]>()
  readonly #guard: MacGuard | undefined
  readonly #macKey: Buffer | undefined
  #outgoing: Buffer[] = []
  #isClosed = false

  constructor(socket: Socket, options: IsoClientOptions) {
    const { dialect, framing = defaultFraming, timeoutMs = timeoutByDefaultMs, mac } = options
    this.socket = socket
    this.#macKey = mac?.key
    this.#guard = mac === undefined ? undefined : guardOf(dialect, mac)
    this.#dialect = dialect
    this.#framing = framing
    this.#timeoutMs = timeoutMs
    this.#reader = new FrameReader(framing)
    socket.on('data', chunk => this.#read(chunk as Buffer))
    socket.on('error', error => {
      if (handshakeAlerts.test((error as NodeJS.ErrnoException).code ?? '')) {
        this.#lose(new NoAnswerError('not_admitted', `the switch ended the TLS handshake: ${alertOf(error)}`))
      }
    })
    socket.on('close', () => this.#lose(new NoAnswerError('connection_lost', 'the connection was closed')))
  }

  /**
   * Sends a request and waits for its reply: that of its MTI with the same DE11, DE41 and DE7, never of the same STAN
   * alone. Rejects with NoAnswerError, or with CodecError for a message that the dialect cannot carry.
   */
  send(request: Message, timeoutMs = this.#timeoutMs): Promise<Message> {
    if (this.#isClosed) return Promise.reject(new NoAnswerError('connection_lost', 'the connection was closed'))
    const body =
      this.#guard === undefined ? this.#dialect.pack(request) : this.#guard.pack(request, this.#macKey as Buffer)
    const frame = encodeFrame(this.#framing, body, this.#framing.tpdu ? tpduOfClient : undefined)
    return new Promise((resolve, reject) => {
      const key = keyOf(replyMtiOf(request.mti), request)
      const timer = setTimeout(() => {
        this.#take(key, waiter)
        reject(new NoAnswerError('timeout', `no answer in ${timeoutMs} ms`))
      }, timeoutMs)
      const waiter: Waiter = { request, timer, resolve, reject }
      const sharers = this.#waiters.get(key)
      if (sharers === undefined) this.#waiters.set(key, [waiter])
      else sharers.push(waiter)
      if (this.#outgoing.length === 0) process.nextTick(flush, this)
      this.#outgoing.push(frame)
    })
  }

  /** Closes without waiting for answers. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    await new Promise<void>(resolve => {
      this.socket.once('close', () => resolve())
      this.socket.destroySoon()
    })
  }

  flush(): void {
    const outgoing = this.#outgoing
    this.#outgoing = []
    if (!this.#isClosed) this.socket.write(outgoing.length === 1 ? outgoing[0]! : Buffer.concat(outgoing))
  }

  #read(chunk: Buffer): void {
    const { frames, error } = this.#reader.push(chunk)
    for (const { body } of frames) {
      const read = this.#dialect.unpack(body)
      if (!read.ok) this.#giveUp(`${read.error.path}: ${read.error.text}`)
      else if (!this.#isAuthentic(read.message, body)) this.#giveUp('its MAC is wrong or missing')
      else this.#deliver(read.message)
    }
    if (error !== undefined) this.#giveUp(error.message)
  }

  /** A refusal may come without: a switch does not sign the answer to what it could not authenticate. */
  #isAuthentic(reply: Message, body: Buffer): boolean {
    const check = this.#guard?.check(reply, body, 0)
    if (check === undefined || check.ok) return true
    return check.fault === 'missing' && reply.fields[39] !== '00' && reply.fields[39] !== '10'
  }

  #deliver(reply: Message): void {
    const key = keyOf(reply.mti, reply)
    const waiter = this.#waiters
      .get(key)
      ?.find(({ request }) => isSame(7, request, reply) && isSame(41, request, reply))
    // A late answer to a request that nobody waits for any more.
    if (waiter === undefined) return
    this.#take(key, waiter)
    clearTimeout(waiter.timer)
    waiter.resolve(reply)
  }

  #take(key: string, waiter: Waiter): void {
    const sharers = this.#waiters.get(key)
    if (sharers === undefined) return
    if (sharers.length === 1) this.#waiters.delete(key)
    else sharers.splice(sharers.indexOf(waiter), 1)
  }

  #giveUp(text: string): void {
    this.#lose(new NoAnswerError('bad_answer', `the answer cannot be read: ${text}`))
    this.socket.destroy()
  }

  #lose(error: NoAnswerError): void {
    this.#isClosed = true
    for (const sharers of this.#waiters.values()) {
      for (const { timer, reject } of sharers) {
        clearTimeout(timer)
        reject(error)
      }
    }
    this.#waiters.clear()
  }
}

/** `certificate required`, of OpenSSL's `…:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:…`. */
const alertOf = ({ message }: Error): string => / alert ([a-z ]+):/.exec(message)?.[1] ?? 'no reason given'

function guardOf(dialect: Dialect, { method, key }: NonNullable<IsoClientOptions['mac']>): MacGuard {
  const algorithm = method.algorithm === 'aes-cmac' ? 'aes' : 'tdes'
  const keys = { find: () => [{ algorithm, key, settings: null } as const], findBase: () => [] }
  return new MacGuard(dialect, { method, keys: 'listener', required: true }, '', keys)
}

const keyOf = (mti: string, { fields }: Message): string => mti + fields[11]

/** A malformed request is answered with what of it could be read, so that an element may be missing. */
const isSame = (element: number, request: Message, reply: Message): boolean =>
  reply.fields[element] === undefined || reply.fields[element] === request.fields[element]

function flush(client: IsoClient): void {
  client.flush()
}
