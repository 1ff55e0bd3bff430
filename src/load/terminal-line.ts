import type { Socket } from 'node:net'
import type { Dialect } from '../codec/dialect.ts'
import { defaultFraming, FrameReader } from '../codec/framing.ts'
import { nowMicros } from '../ops/clock.ts'
import type { Cards } from './cards.ts'
import { type FrameTemplate, TransmissionTime, templatesOf, timeDigits, writeAmount, writeStan } from './frames.ts'
import type { Line, LineEvents } from './lines.ts'
import type { Step } from './recorder.ts'
import { openedSocket, openSocket, type Target } from './socket.ts'
import type { Till } from './spec.ts'

interface TerminalLineOptions {
  readonly target: Target
  readonly dialect: Dialect
  readonly till: Till
  readonly currency: string
  /** Transactions under way at once, at most. */
  readonly slots: number
  /** A STAN is a multiple of the first, and the second, and the slot: connections of one terminal differ in them. */
  readonly stanStride: number
  readonly stanBase: number
  readonly cards: Cards
  readonly events: LineEvents
}

const stanSpan = 1_000_000
const scanned = [11, 39] as const
const steps: readonly Step[] = ['authorize', 'confirm', 'reverse']

/**
 * One connection of a terminal: answers are matched to slots by STAN, and all that is sent while a piece of the stream
 * is handled leaves in one system call.
 */
export class TerminalLine implements Line {
  readonly slots: number
  isLost = false
  waiting = 0
  readonly #options: TerminalLineOptions
  readonly #socket: Socket
  readonly #opened: Promise<void>
  readonly #reader = new FrameReader(defaultFraming)
  readonly #templates: readonly FrameTemplate[]
  readonly #time = new TransmissionTime()
  /**
   * Of each slot: the STAN that is under way (0 if none is) and its time, and of its authorize STAN, time, card and
   * amount. Frames are written later than they are made, when the second may be another.
   */
  readonly #stans: Int32Array
  readonly #times: Buffer
  readonly #originalStans: Int32Array
  readonly #originalTimes: Buffer
  readonly #cards: Int32Array
  readonly #amounts: Float64Array
  /** Index in `steps`. */
  readonly #steps: Uint8Array
  /** How many STANs each slot has had. */
  readonly #rounds: Int32Array
  #outgoing: number[] = []
  #isReading = false

  constructor(options: TerminalLineOptions) {
    const { slots, dialect, till, currency } = options
    this.#options = options
    this.slots = slots
    this.#stans = new Int32Array(slots)
    this.#rounds = new Int32Array(slots)
    this.#originalStans = new Int32Array(slots)
    this.#times = Buffer.alloc(slots * timeDigits)
    this.#originalTimes = Buffer.alloc(slots * timeDigits)
    this.#cards = new Int32Array(slots)
    this.#amounts = new Float64Array(slots)
    this.#steps = new Uint8Array(slots)
    const templates = templatesOf(dialect, till, currency)
    this.#templates = steps.map(step => templates[step])
    this.#socket = openSocket(options.target)
    this.#socket.on('data', chunk => this.#read(chunk as Buffer))
    this.#socket.on('error', error => this.#lose(error.message))
    this.#socket.on('close', () => this.#lose('connection closed'))
    this.#opened = openedSocket(this.#socket, options.target)
    this.#opened.catch(() => undefined)
  }

  opened(): Promise<void> {
    return this.#opened
  }

  authorize(slot: number, card: number, amount: number): void {
    this.#cards[slot] = card
    this.#amounts[slot] = amount
    this.#send(slot, 0)
    this.#originalStans[slot] = this.#stans[slot] as number
    this.#time.bytes.copy(this.#originalTimes, slot * timeDigits)
  }

  confirm(slot: number): void {
    this.#send(slot, 1)
  }

  reverse(slot: number): void {
    this.#send(slot, 2)
  }

  close(): void {
    this.isLost = true
    this.#socket.destroy()
  }

  #send(slot: number, step: number): void {
    if (this.isLost) return
    const { stanStride, stanBase } = this.#options
    // The slot can be told from the STAN, and no STAN comes again before all others of its slot have been used.
    const round = this.#rounds[slot] as number
    const next = (round + 2) * stanStride > stanSpan ? 1 : round + 1
    this.#rounds[slot] = next
    this.#stans[slot] = next * stanStride + stanBase + slot
    this.#steps[slot] = step
    this.waiting++
    this.#time.refresh(nowMicros())
    this.#time.bytes.copy(this.#times, slot * timeDigits)
    this.#outgoing.push(slot)
    if (!this.#isReading && this.#outgoing.length === 1) process.nextTick(flush, this)
  }

  flush(): void {
    const outgoing = this.#outgoing
    if (outgoing.length === 0 || this.isLost) return
    this.#outgoing = []
    let length = 0
    for (const slot of outgoing) length += this.#templateOf(slot).frame.length
    const bytes = Buffer.allocUnsafe(length)
    let at = 0
    for (const slot of outgoing) at = this.#write(bytes, at, slot)
    this.#socket.write(bytes)
  }

  #templateOf(slot: number): FrameTemplate {
    return this.#templates[this.#steps[slot] as number] as FrameTemplate
  }

  #write(bytes: Buffer, at: number, slot: number): number {
    const { frame, amountAt, timeAt, stanAt, panAt, originalAt } = this.#templateOf(slot)
    frame.copy(bytes, at)
    writeAmount(bytes, at + amountAt, this.#amounts[slot] as number)
    writeStan(bytes, at + stanAt, this.#stans[slot] as number)
    this.#times.copy(bytes, at + timeAt, slot * timeDigits, (slot + 1) * timeDigits)
    if (panAt >= 0) this.#options.cards.write(bytes, at + panAt, this.#cards[slot] as number)
    if (originalAt >= 0) {
      writeStan(bytes, at + originalAt, this.#originalStans[slot] as number)
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
    const read = this.#options.dialect.scan(body, scanned)
    const { fields } = read.message
    const stan = Number.parseInt(fields[11] ?? '', 10)
    const slot = (stan % this.#options.stanStride) - this.#options.stanBase
    if (!read.ok || this.#stans[slot] !== stan) {
      this.#lose('an answer that nothing was asked for')
      return
    }
    this.#stans[slot] = 0
    this.waiting--
    const code = fields[39] ?? ''
    const step = steps[this.#steps[slot] as number] as Step
    this.#options.events.onAnswer(this, { slot, step, code, isApproved: code === '00' })
  }

  #lose(error: string): void {
    if (this.isLost) return
    this.close()
    const { waiting } = this
    this.waiting = 0
    this.#stans.fill(0)
    this.#options.events.onLost(this, error, waiting)
  }
}

function flush(line: TerminalLine): void {
  line.flush()
}
