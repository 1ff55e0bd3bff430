import { characterOfNibble, nibbleOfCharacter } from './characters.ts'

/**
 * How a length stands in front of a message; `vml` is Visa's: two bytes of length, then two that are not part of it.
 */
export const frameLengthKinds = ['binary2', 'binary4', 'bcd2', 'ascii4', 'hex4', 'vml'] as const
type FrameLengthKind = (typeof frameLengthKinds)[number]

export type Framing = {
  readonly length: FrameLengthKind
  /** The length counts its own bytes too. */
  readonly inclusive: boolean
  /**
   * Five bytes of TPDU stand in front of the message, within the length: id, destination address, originator address.
   */
  readonly tpdu: boolean
  /** The longest frame that is read or sent, without its length, in bytes. */
  readonly frameBytesMax: number
}

/** What the contract's default listener speaks: a 2-byte big-endian length, then the message. */
export const defaultFraming: Framing = { length: 'binary2', inclusive: false, tpdu: false, frameBytesMax: 8192 }

/** One message off the wire: views into what was read, valid as long as they are referenced. */
export type Frame = { readonly body: Buffer; readonly tpdu: Buffer | undefined }

const frameErrorTexts = {
  bad_length: 'the length in front of a frame is not a number',
  frame_too_long: 'a frame is longer than the maximum',
  frame_too_short: 'a frame is too short for what its length and TPDU must hold',
} as const
type FrameErrorCode = keyof typeof frameErrorTexts

/** After a framing error nothing further on the connection can be understood: close it. */
export class FrameError extends Error {
  readonly code: FrameErrorCode

  constructor(code: FrameErrorCode) {
    super(`${code}: ${frameErrorTexts[code]}`)
    this.name = 'FrameError'
    this.code = code
  }
}

const tpduBytes = 5

const headerBytesOf = { binary2: 2, binary4: 4, bcd2: 2, ascii4: 4, hex4: 4, vml: 4 } as const
const lengthMaxOf = {
  binary2: 0xffff,
  binary4: 0xffffffff,
  bcd2: 9999,
  ascii4: 9999,
  hex4: 0xffff,
  vml: 0xffff,
} as const

const frameHeaderBytes = ({ length }: Framing) => headerBytesOf[length]

/**
 * Finds frames in a byte stream, however it is cut. Frames of length zero, which hosts send to keep a connection alive,
 * are passed over.
 */
export class FrameReader {
  readonly #framing: Framing
  readonly #headerBytes: number
  /** The start of a frame whose end has not come; only the first `#pendingBytes` are filled. */
  #pending: Buffer = Buffer.alloc(0)
  #pendingBytes = 0
  #error: FrameError | undefined

  constructor(framing: Framing) {
    this.#framing = framing
    this.#headerBytes = frameHeaderBytes(framing)
  }

  /** Bytes of a frame that has begun and not ended: zero between frames. */
  get pendingBytes(): number {
    return this.#pendingBytes
  }

  /** The frames that `chunk` completes. With an error, those before it; from then on there are no more. */
  push(chunk: Buffer): { frames: Frame[]; error: FrameError | undefined } {
    const frames: Frame[] = []
    let offset = 0
    while (this.#error === undefined && this.#pendingBytes > 0 && offset < chunk.length) {
      offset = this.#fill(chunk, offset, frames)
    }
    while (this.#error === undefined && this.#pendingBytes === 0 && offset < chunk.length) {
      const end = this.#frameEnd(chunk, offset, chunk.length)
      if (end > chunk.length) {
        this.#keep(chunk, offset, chunk.length, end - offset)
        break
      }
      if (end >= 0) this.#take(chunk.subarray(offset + this.#headerBytes, end), frames)
      offset = end
    }
    return { frames, error: this.#error }
  }

  /** Adds to the pending frame what it lacks; returns the offset after it. */
  #fill(chunk: Buffer, offset: number, frames: Frame[]) {
    const needed = this.#frameEnd(this.#pending, 0, this.#pendingBytes)
    const end = Math.min(chunk.length, offset + needed - this.#pendingBytes)
    this.#keep(chunk, offset, end, needed)
    const complete = this.#frameEnd(this.#pending, 0, this.#pendingBytes)
    if (complete >= 0 && this.#pendingBytes === complete && complete >= this.#headerBytes) {
      const frame = this.#pending.subarray(this.#headerBytes, complete)
      this.#pending = Buffer.alloc(0)
      this.#pendingBytes = 0
      this.#take(frame, frames)
    }
    return end
  }

  /**
   * Doubling, so that a slow peer costs no more than a fast one, and only what was sent: a length alone reserves
   * nothing.
   */
  #keep(chunk: Buffer, start: number, end: number, needed: number) {
    const bytes = this.#pendingBytes + end - start
    if (bytes > this.#pending.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(bytes, Math.min(needed, 2 * bytes)))
      this.#pending.copy(grown, 0, 0, this.#pendingBytes)
      this.#pending = grown
    }
    chunk.copy(this.#pending, this.#pendingBytes, start, end)
    this.#pendingBytes = bytes
  }

  #take(payload: Buffer, frames: Frame[]) {
    if (payload.length === 0) return
    if (!this.#framing.tpdu) frames.push({ body: payload, tpdu: undefined })
    else if (payload.length < tpduBytes) this.#error = new FrameError('frame_too_short')
    else frames.push({ body: payload.subarray(tpduBytes), tpdu: payload.subarray(0, tpduBytes) })
  }

  /** Where the frame at `offset` ends, or its header while that is not all there; -1 on an error. */
  #frameEnd(bytes: Buffer, offset: number, end: number) {
    if (end - offset < this.#headerBytes) return offset + this.#headerBytes
    const count = readFrameLength(this.#framing.length, bytes, offset)
    const length = this.#framing.inclusive ? count - this.#headerBytes : count
    if (count < 0) this.#error = new FrameError('bad_length')
    else if (length < 0) this.#error = new FrameError('frame_too_short')
    else if (length > this.#framing.frameBytesMax) this.#error = new FrameError('frame_too_long')
    else return offset + this.#headerBytes + length
    return -1
  }
}

/**
 * How many bytes a message has as a frame. Throws FrameError `frame_too_long` beyond the maximum or what the length can
 * say.
 */
export function frameBytesOf(framing: Framing, { body, tpdu }: Frame): number {
  const headerBytes = frameHeaderBytes(framing)
  const length = (framing.tpdu ? tpduBytes : 0) + body.length
  const count = framing.inclusive ? length + headerBytes : length
  if (length > framing.frameBytesMax || count > lengthMaxOf[framing.length]) throw new FrameError('frame_too_long')
  if (framing.tpdu && tpdu?.length !== tpduBytes) throw new FrameError('frame_too_short')
  return headerBytes + length
}

/** Writes the frame at `offset`, where `frameBytesOf` it have room; returns the offset after it. */
export function writeFrame(framing: Framing, { body, tpdu }: Frame, bytes: Buffer, offset: number): number {
  const headerBytes = frameHeaderBytes(framing)
  const bodyAt = offset + headerBytes + (framing.tpdu ? tpduBytes : 0)
  const end = bodyAt + body.length
  writeFrameLength(framing.length, bytes, offset, framing.inclusive ? end - offset : end - offset - headerBytes)
  if (framing.tpdu) tpdu?.copy(bytes, offset + headerBytes)
  body.copy(bytes, bodyAt)
  return end
}

/** The bytes of a frame, ready to send. Throws as `frameBytesOf`. */
export function encodeFrame(framing: Framing, body: Buffer, tpdu?: Buffer): Buffer {
  const frame: Frame = { body, tpdu }
  const bytes = Buffer.allocUnsafe(frameBytesOf(framing, frame))
  writeFrame(framing, frame, bytes, 0)
  return bytes
}

/** The TPDU of an answer: the same id, the two addresses changed over. */
export function replyTpdu(tpdu: Buffer): Buffer {
  return Buffer.from([tpdu[0]!, tpdu[3]!, tpdu[4]!, tpdu[1]!, tpdu[2]!])
}

/** -1 where it is not a number. */
function readFrameLength(kind: FrameLengthKind, bytes: Buffer, offset: number) {
  switch (kind) {
    case 'binary2':
    case 'vml':
      return bytes.readUInt16BE(offset)
    case 'binary4':
      return bytes.readUInt32BE(offset)
    case 'bcd2':
      return readDigits(bytes.toString('hex', offset, offset + 2))
    case 'ascii4':
      return readDigits(bytes.toString('latin1', offset, offset + 4))
    case 'hex4': {
      let count = 0
      for (let i = offset; i < offset + 4; i++) {
        const nibble = nibbleOfCharacter[bytes[i]!]!
        if (nibble < 0) return -1
        count = count * 16 + nibble
      }
      return count
    }
  }
}

const readDigits = (text: string) => (/^\d{4}$/.test(text) ? Number.parseInt(text, 10) : -1)

function writeFrameLength(kind: FrameLengthKind, bytes: Buffer, offset: number, count: number) {
  switch (kind) {
    case 'binary2':
      return bytes.writeUInt16BE(count, offset)
    case 'vml':
      return bytes.writeUInt32BE(count * 0x10000, offset)
    case 'binary4':
      return bytes.writeUInt32BE(count, offset)
    case 'bcd2':
      return bytes.write(String(count).padStart(4, '0'), offset, 'hex')
    case 'ascii4':
      return bytes.write(String(count).padStart(4, '0'), offset, 'latin1')
    case 'hex4':
      for (let i = 0; i < 4; i++) bytes[offset + i] = characterOfNibble[(count >> (4 * (3 - i))) & 15]!
      return 4
  }
}
