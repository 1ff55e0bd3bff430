import type { Socket } from 'node:net'
import { type Cards, panDigits } from './cards.ts'
import { HttpReader } from './http-reader.ts'
import type { Line, LineEvents } from './lines.ts'
import type { Step } from './recorder.ts'
import { openedSocket, openReadingSocket, type Target } from './socket.ts'
import type { Till } from './spec.ts'

interface HttpLineOptions {
  readonly target: Target
  readonly till: Till
  /** Code, such as IRR. */
  readonly currency: string
  readonly apiKey: string
  /** What the Idempotency-Keys of this connection begin with: no other connection's, no other run's do. */
  readonly keyPrefix: string
  readonly cards: Cards
  readonly events: LineEvents
}

const approvedStatus: Readonly<Record<Step, number>> = { authorize: 201, confirm: 200, reverse: 200 }
const idMark = Buffer.from('"id":"')
const reasonMark = Buffer.from('"reason":"')
const quote = 0x22

/** One keep-alive connection with one request under way. */
export class HttpLine implements Line {
  readonly slots = 1
  isLost = false
  waiting = 0
  readonly #options: HttpLineOptions
  readonly #headers: string
  readonly #bodyEnd: string
  readonly #pan = Buffer.alloc(panDigits)
  #reader = new HttpReader()
  #socket: Socket
  #opened: Promise<void>
  #isOpen = true
  #step: Step = 'authorize'
  #id = ''
  #requests = 0

  constructor(options: HttpLineOptions) {
    const { target, till, currency, apiKey } = options
    this.#options = options
    this.#headers =
      ` HTTP/1.1\r\nHost: ${target.host}:${target.port}\r\nAuthorization: Bearer ${apiKey}\r\n` +
      'Content-Type: application/json\r\n'
    this.#bodyEnd = `,"currency":"${currency}","merchant":"${till.merchant}","terminal":"${till.terminal}"}`
    const { socket, opened } = this.#open()
    this.#socket = socket
    this.#opened = opened
  }

  opened(): Promise<void> {
    return this.#opened
  }

  authorize(_slot: number, card: number, amount: number): void {
    this.#options.cards.write(this.#pan, 0, card)
    const pan = this.#pan.toString('latin1')
    this.#send('authorize', '/v1/transactions', `{"card":{"pan":"${pan}"},"amount":${amount}${this.#bodyEnd}`)
  }

  confirm(): void {
    this.#send('confirm', `/v1/transactions/${this.#id}/confirm`, '{}')
  }

  reverse(): void {
    this.#send('reverse', `/v1/transactions/${this.#id}/reverse`, '{}')
  }

  close(): void {
    this.isLost = true
    this.#socket.destroy()
  }

  #open(): { socket: Socket; opened: Promise<void> } {
    const socket = openReadingSocket(this.#options.target, chunk => this.#read(chunk))
    socket.on('error', error => this.#closed(socket, error.message))
    socket.on('close', () => this.#closed(socket, 'connection closed'))
    const opened = openedSocket(socket, this.#options.target)
    opened.catch(() => undefined)
    return { socket, opened }
  }

  #send(step: Step, path: string, body: string): void {
    if (this.isLost) return
    if (!this.#isOpen) this.#reopen()
    this.#step = step
    this.waiting = 1
    const key = `Idempotency-Key: ${this.#options.keyPrefix}${++this.#requests}\r\n`
    const text = `POST ${path}${this.#headers}${key}Content-Length: ${body.length}\r\n\r\n${body}`
    this.#socket.write(text, 'latin1')
  }

  #reopen(): void {
    this.#isOpen = true
    this.#reader = new HttpReader()
    const { socket, opened } = this.#open()
    this.#socket = socket
    this.#opened = opened
  }

  #read(chunk: Buffer): void {
    try {
      const answer = this.#waitingFor(chunk)
      if (answer === null) return
      const { status, body, isLast } = answer
      this.waiting = 0
      if (isLast) this.#isOpen = false
      const isApproved = status === approvedStatus[this.#step]
      if (isApproved && this.#step === 'authorize') this.#id = textBehind(body, idMark)
      const code = isApproved ? String(status) : `${status} ${textBehind(body, reasonMark)}`.trimEnd()
      this.#options.events.onAnswer(this, { slot: 0, step: this.#step, isApproved, code })
    } catch (error) {
      this.#lose((error as Error).message)
    }
  }

  #waitingFor(chunk: Buffer) {
    if (this.waiting === 0) throw new Error('an answer that nothing was asked for')
    return this.#reader.push(chunk)
  }

  /** A server may close what is idle: then the next request opens it again. */
  #closed(socket: Socket, error: string): void {
    if (socket !== this.#socket || this.isLost) return
    if (this.waiting > 0) this.#lose(error)
    else this.#isOpen = false
  }

  #lose(error: string): void {
    if (this.isLost) return
    this.close()
    const { waiting } = this
    this.waiting = 0
    this.#options.events.onLost(this, error, waiting)
  }
}

/** What stands in quotes behind a name, without reading the whole of a body. */
function textBehind(body: Buffer, mark: Buffer): string {
  const at = body.indexOf(mark)
  if (at < 0) return ''
  return body.toString('latin1', at + mark.length, body.indexOf(quote, at + mark.length))
}
