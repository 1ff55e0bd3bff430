import { connect, type Socket } from 'node:net'
import { defaultFraming, FrameReader } from '../../src/codec/framing.ts'
import {
  authorizeTemplate,
  confirmTemplate,
  dialect,
  type FrameTemplate,
  panDigits,
  TransmissionTime,
  timeDigits,
  writeAmount,
  writeStan,
} from './iso-frames.ts'

/** An answer to what was last sent in this slot. */
export interface Answer {
  readonly slot: number
  readonly step: 'authorize' | 'confirm'
  /** DE39. */
  readonly code: string
}

export interface TerminalLineOptions {
  readonly port: number
  /** Number of the terminal, from 0: each line has its own. */
  readonly terminal: number
  /** Transactions under way at once, at most. */
  readonly slots: number
  /** Card numbers of `panTable`. */
  readonly pans: Buffer
  onAnswer(line: TerminalLine, answer: Answer): void
  /** Called once, also where it never opened. */
  onLost(line: TerminalLine, error: string): void
}

const stanSpan = 1_000_000
const scanned = [11, 39] as const

/**
 * One terminal's connection as a load generator has it: answers are matched to slots by STAN, and all that is sent
 * while a piece of the stream is handled leaves in one system call.
 */
export class TerminalLine {
  readonly slots: number
  /** Of each slot, the caller's own: when its transaction and its present step began. */
  readonly transactionBegunAt: Float64Array
  readonly stepBegunAt: Float64Array
  readonly #socket: Socket
  readonly #options: TerminalLineOptions
  readonly #reader = new FrameReader(defaultFraming)
  readonly #authorize: FrameTemplate
  readonly #confirm: FrameTemplate
  readonly #time = new TransmissionTime()
  /** Of each slot: the STAN that is under way, 0 if none is, and of its authorize STAN, time, card and amount. */
  readonly #stans: Int32Array
  readonly #originalStans: Int32Array
  readonly #originalTimes: Buffer
  readonly #cards: Int32Array
  readonly #amounts: Int32Array
  readonly #isConfirm: Uint8Array
  /** How many STANs each slot has had. */
  readonly #rounds: Int32Array
  #outgoing: number[] = []
  #isReading = false
  #isLost = false

  constructor(options: TerminalLineOptions) {
    const { port, terminal, slots } = options
    this.#options = options
    this.slots = slots
    this.transactionBegunAt = new Float64Array(slots)
    this.stepBegunAt = new Float64Array(slots)
    this.#stans = new Int32Array(slots)
    this.#rounds = new Int32Array(slots)
    this.#originalStans = new Int32Array(slots)
    this.#originalTimes = Buffer.alloc(slots * timeDigits)
    this.#cards = new Int32Array(slots)
    this.#amounts = new Int32Array(slots)
    this.#isConfirm = new Uint8Array(slots)
    this.#authorize = authorizeTemplate(terminal)
    this.#confirm = confirmTemplate(terminal)
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true })
    this.#socket.on('data', chunk => this.#read(chunk as Buffer))
    this.#socket.on('error', error => this.#lose(error.message))
    this.#socket.on('close', () => this.#lose('connection closed'))
  }

  opened(): Promise<void> {
    if (!this.#socket.connecting) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#socket.once('connect', () => resolve())
      this.#socket.once('error', reject)
    })
  }

  /** Slots that wait for an answer. */
  get waiting(): number {
    return this.#stans.reduce((sum, stan) => sum + (stan === 0 ? 0 : 1), 0)
  }

  /** `card`: index into the table of card numbers. `amount`: rials, below 2^31. */
  authorize(slot: number, card: number, amount: number): void {
    this.#cards[slot] = card
    this.#amounts[slot] = amount
    this.#send(slot, 0)
    this.#originalStans[slot] = this.#stans[slot]!
    this.#time.bytes.copy(this.#originalTimes, slot * timeDigits)
  }

  /** Confirms what the slot has authorized, for the same amount. */
  confirm(slot: number): void {
    this.#send(slot, 1)
  }

  close(): void {
    this.#isLost = true
    this.#socket.destroy()
  }

  #send(slot: number, isConfirm: 0 | 1): void {
    // The slot can be told from the STAN, and no STAN comes again before all others of its slot have been used.
    const round = this.#rounds[slot]!
    const next = (round + 2) * this.slots > stanSpan ? 1 : round + 1
    this.#rounds[slot] = next
    this.#stans[slot] = next * this.slots + slot
    this.#isConfirm[slot] = isConfirm
    this.#time.refresh()
    this.#outgoing.push(slot)
    if (!this.#isReading && this.#outgoing.length === 1) process.nextTick(flush, this)
  }

  flush(): void {
    const outgoing = this.#outgoing
    if (outgoing.length === 0 || this.#isLost) return
    this.#outgoing = []
    let length = 0
    for (const slot of outgoing) length += this.#templateOf(slot).frame.length
    const bytes = Buffer.allocUnsafe(length)
    let at = 0
    for (const slot of outgoing) at = this.#write(bytes, at, slot)
    this.#socket.write(bytes)
  }

  #templateOf(slot: number): FrameTemplate {
    return this.#isConfirm[slot] === 1 ? this.#confirm : this.#authorize
  }

  #write(bytes: Buffer, at: number, slot: number): number {
    const { frame, amountAt, timeAt, stanAt, panAt, originalAt } = this.#templateOf(slot)
    frame.copy(bytes, at)
    writeAmount(bytes, at + amountAt, this.#amounts[slot]!)
    writeStan(bytes, at + stanAt, this.#stans[slot]!)
    this.#time.bytes.copy(bytes, at + timeAt)
    if (panAt >= 0) {
      const pan = this.#cards[slot]! * panDigits
      this.#options.pans.copy(bytes, at + panAt, pan, pan + panDigits)
    }
    if (originalAt >= 0) {
      writeStan(bytes, at + originalAt, this.#originalStans[slot]!)
      this.#originalTimes.copy(bytes, at + originalAt + 6, slot * timeDigits, (slot + 1) * timeDigits)
    }
    return at + frame.length
  }

  #read(chunk: Buffer): void {
    this.#isReading = true
    const { frames, error } = this.#reader.push(chunk)
    for (const { body } of frames) this.#answer(body)
    this.#isReading = false
    this.flush()
    if (error !== undefined) this.#lose(error.message)
  }

  #answer(body: Buffer): void {
    const read = dialect.scan(body, scanned)
    const { fields } = read.message
    const stan = Number.parseInt(fields[11] ?? '', 10)
    const slot = stan % this.slots
    if (!read.ok || this.#stans[slot] !== stan) {
      this.#lose('an answer that nothing was asked for')
      return
    }
    this.#stans[slot] = 0
    const code = fields[39] ?? ''
    const step = this.#isConfirm[slot] === 1 ? 'confirm' : 'authorize'
    this.#options.onAnswer(this, { slot, step, code })
  }

  #lose(error: string): void {
    if (this.#isLost) return
    this.close()
    this.#options.onLost(this, error)
    this.#stans.fill(0)
  }
}

function flush(line: TerminalLine): void {
  line.flush()
}
