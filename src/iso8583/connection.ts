import type { Socket } from 'node:net'
import {
  type Frame,
  FrameError,
  FrameReader,
  type Framing,
  frameBytesOf,
  replyTpdu,
  writeFrame,
} from '../codec/framing.ts'
import type { Micros } from '../core/ids.ts'
import type { Pressure } from '../engine/result.ts'
import type { Exchanges } from './exchange.ts'
import type { Log, Sender } from './exchange-types.ts'
import type { IsoLimits } from './limits.ts'

interface ConnectionDeps {
  readonly framing: Framing
  readonly exchanges: Exchanges
  readonly pressure: Pressure
  readonly limits: IsoLimits
  /** How long the peer may say nothing before it is asked whether it is there; infinite: for ever. */
  readonly echoEveryMs: number
  readonly log: Log
  /** Pumps the connection when the engine takes work again. */
  whenRoom(connection: Connection): void
  now(): Micros
}

/** Why a connection was closed. `peer`: the terminal closed it, or went away. */
export type CloseReason = 'peer' | 'bad_frame' | 'unreadable_message' | 'slow_frame' | 'slow_reader' | 'idle' | 'drain'

/** Until the peer has sent one. */
const unknownTpdu = Buffer.from('6000000000', 'hex')
const noFrames: readonly Frame[] = []

/**
 * One terminal's connection. Frames wait here, and the socket is not read, while the engine is full, while too many of
 * its messages are unanswered, or while it does not take its answers: nothing that was read is refused for it.
 */
export class Connection implements Sender {
  readonly peer: string
  readonly #socket: Socket
  readonly #deps: ConnectionDeps
  readonly #reader: FrameReader
  #frames = noFrames
  #nextFrame = 0
  #inFlight = 0
  #outgoing: Frame[] = []
  /** Of `#outgoing`, as frames. */
  #outgoingBytes = 0
  #isFlushScheduled = false
  #isPumping = false
  #frameError: FrameError | undefined
  /** The peer has sent its last byte; it may still read answers. */
  #isPeerDone = false
  #retirement: CloseReason | null = null
  #isClosing = false
  #lastReadAt: Micros
  /** When the frame began whose end has not come; 0 between frames. */
  #frameSince: Micros = 0
  #takenBytes = 0
  #unsentSince: Micros = 0
  #lastEchoAt: Micros = 0
  /** That of the last message, for what the switch sends unasked. */
  #tpdu: Buffer = unknownTpdu

  constructor(socket: Socket, deps: ConnectionDeps) {
    this.#socket = socket
    this.#deps = deps
    this.#reader = new FrameReader(deps.framing)
    this.#lastReadAt = deps.now()
    this.peer = `${socket.remoteAddress ?? 'gone'}:${socket.remotePort ?? 0}`
    socket.on('data', chunk => this.#read(chunk as Buffer))
    socket.on('drain', () => this.pump())
    socket.on('end', () => {
      this.#isPeerDone = true
      this.pump()
    })
    // 'close' follows, and with it everything there is to do.
    socket.on('error', error => deps.log.debug({ peer: this.peer, error: error.message }, 'terminal socket error'))
  }

  get closeReason(): CloseReason {
    return this.#retirement ?? 'peer'
  }

  /** Hands waiting frames to the engine while there is room, at most so many, and reads on when none is left. */
  pump(framesMax = Number.POSITIVE_INFINITY): void {
    if (this.#isPumping || this.#socket.destroyed) return
    this.#isPumping = true
    let left = framesMax
    for (; left > 0 && this.#isWaiting && this.#hasRoom(); left--) {
      this.#inFlight++
      this.#deps.exchanges.handle(this.#frames[this.#nextFrame++]!, this)
    }
    if (left === 0 && this.#isWaiting) this.#deps.whenRoom(this)
    this.#isPumping = false
    if (this.#retirement === null) this.#goOn()
    if (this.#retirement !== null && this.#inFlight === 0 && this.#outgoing.length === 0) this.#close()
  }

  get #isWaiting(): boolean {
    return this.#retirement === null && this.#nextFrame < this.#frames.length
  }

  #hasRoom(): boolean {
    const { pressure, limits } = this.#deps
    if (this.#inFlight >= limits.inFlightMax || this.#socket.writableLength > limits.unsentBytesMax) return false
    if (!pressure.isFull) return true
    this.#deps.whenRoom(this)
    return false
  }

  #goOn(): void {
    if (this.#nextFrame < this.#frames.length) {
      this.#socket.pause()
      return
    }
    this.#frames = noFrames
    this.#nextFrame = 0
    if (this.#frameError !== undefined) this.retire('bad_frame', { code: this.#frameError.code })
    else if (this.#isPeerDone) this.#retirement = 'peer'
    else if (this.#socket.isPaused()) {
      // The time in which we did not read does not count against the peer.
      const now = this.#deps.now()
      this.#lastReadAt = now
      if (this.#frameSince !== 0) this.#frameSince = now
      this.#socket.resume()
    }
  }

  #read(chunk: Buffer): void {
    if (this.#retirement !== null) return
    const now = this.#deps.now()
    this.#lastReadAt = now
    const { frames, error } = this.#reader.push(chunk)
    this.#tpdu = frames.at(-1)?.tpdu ?? this.#tpdu
    if (this.#reader.pendingBytes === 0) this.#frameSince = 0
    else if (frames.length > 0 || this.#frameSince === 0) this.#frameSince = now
    this.#frames = this.#frames.length === 0 ? frames : [...this.#frames.slice(this.#nextFrame), ...frames]
    this.#nextFrame = 0
    this.#frameError = error
    this.pump()
  }

  finish(body: Buffer | null, tpdu: Buffer | undefined): void {
    this.#inFlight--
    if (this.#socket.destroyed) return
    if (body !== null) this.#enqueue(body, tpdu)
    if (this.#isFlushScheduled) return
    this.#isFlushScheduled = true
    // Runs after all answers of a batch have arrived, so that they leave in one system call.
    process.nextTick(flush, this)
  }

  #enqueue(body: Buffer, tpdu: Buffer | undefined): void {
    const { framing, log } = this.#deps
    const frame = { body, tpdu: tpdu === undefined ? undefined : replyTpdu(tpdu) }
    try {
      this.#outgoingBytes += frameBytesOf(framing, frame)
      this.#outgoing.push(frame)
    } catch (error) {
      if (!(error instanceof FrameError)) throw error
      log.error({ peer: this.peer, code: error.code }, 'an answer does not fit into a frame of this listener')
    }
  }

  reject(details: object): void {
    this.#inFlight--
    this.retire('unreadable_message', details)
  }

  /** Reads no more, answers what is in flight, closes. `details` never has any of the bytes. */
  retire(reason: CloseReason, details: object): void {
    if (this.#retirement !== null || this.#socket.destroyed) return
    this.#retirement = reason
    this.#frames = noFrames
    this.#nextFrame = 0
    this.#socket.pause()
    const fields = { peer: this.peer, reason, ...details }
    if (reason === 'idle' || reason === 'drain') this.#deps.log.debug(fields, 'terminal connection closed')
    else this.#deps.log.warn(fields, 'terminal connection closed')
    this.pump()
  }

  flush(): void {
    this.#isFlushScheduled = false
    if (this.#socket.destroyed) return
    if (this.#outgoing.length > 0) this.#socket.write(this.#takeOutgoing())
    this.pump()
  }

  #takeOutgoing(): Buffer {
    const bytes = Buffer.allocUnsafe(this.#outgoingBytes)
    let offset = 0
    for (const frame of this.#outgoing) offset = writeFrame(this.#deps.framing, frame, bytes, offset)
    this.#outgoing = []
    this.#outgoingBytes = 0
    return bytes
  }

  /** Says that nothing more will come, and waits a little for the peer to do so too: a hard close can lose answers. */
  #close(): void {
    if (this.#isClosing) return
    this.#isClosing = true
    this.#socket.end()
    this.#socket.resume()
    setTimeout(() => this.#socket.destroy(), this.#deps.limits.lingerMs).unref()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** Closes it if one of its time limits has passed. */
  checkLimits(now: Micros): void {
    const { idleMs, frameMs, unsentMs } = this.#deps.limits
    if (this.#isUnsentFor(now) > unsentMs * 1000) {
      this.retire('slow_reader', {})
      this.#socket.destroy()
    }
    if (this.#socket.isPaused() || this.#retirement !== null) return
    if (this.#frameSince !== 0 && now - this.#frameSince > frameMs * 1000) this.retire('slow_frame', {})
    else if (this.#inFlight === 0 && now - this.#lastReadAt > idleMs * 1000) this.retire('idle', {})
    else this.#echoIfIdle(now)
  }

  #echoIfIdle(now: Micros): void {
    const { echoEveryMs, exchanges } = this.#deps
    if (now - Math.max(this.#lastReadAt, this.#lastEchoAt) < echoEveryMs * 1000) return
    this.#lastEchoAt = now
    const body = exchanges.echo()
    if (body === null) return
    this.#enqueue(body, this.#tpdu)
    this.flush()
  }

  /** How long the peer has taken no byte of what it was sent. */
  #isUnsentFor(now: Micros): Micros {
    const taken = this.#socket.bytesWritten - this.#socket.writableLength
    if (this.#socket.writableLength === 0 || taken !== this.#takenBytes || this.#unsentSince === 0) {
      this.#takenBytes = taken
      this.#unsentSince = now
    }
    return now - this.#unsentSince
  }
}

function flush(connection: Connection): void {
  connection.flush()
}
