/** One answer, whole. The body is UTF-8 and has not been looked at. */
interface HttpAnswer {
  readonly status: number
  readonly body: Buffer
  /** The server closes the connection behind it. */
  readonly isLast: boolean
}

const headEnd = Buffer.from('\r\n\r\n')
const answerBytesMax = 1024 * 1024

/**
 * Reads answers of HTTP/1.1 that have a Content-Length, one request at a time: what a load needs of the protocol, at a
 * hundredth of the cost of a client that knows all of it. Throws where an answer is anything else.
 */
export class HttpReader {
  #pending: Buffer | null = null

  /** The answer that this piece completes, with a body that may be a part of the piece; null: there is more to come. */
  push(chunk: Buffer): HttpAnswer | null {
    const bytes = this.#pending === null ? chunk : Buffer.concat([this.#pending, chunk])
    const headBytes = bytes.indexOf(headEnd)
    if (headBytes < 0) return this.#wait(bytes)
    const head = bytes.toString('latin1', 0, headBytes).toLowerCase()
    const status = Number.parseInt(head.slice(9, 12), 10)
    if (!head.startsWith('http/1.1 ') || !(status >= 200)) throw new Error('an answer that is not HTTP/1.1')
    const length = lengthIn(head)
    const from = headBytes + headEnd.length
    if (bytes.length < from + length) return this.#wait(bytes)
    if (bytes.length > from + length) throw new Error('an answer that nothing was asked for')
    this.#pending = null
    return { status, body: bytes.subarray(from), isLast: head.includes('\r\nconnection: close') }
  }

  #wait(bytes: Buffer): null {
    if (bytes.length > answerBytesMax) throw new Error('an answer that is too long')
    // A copy: the piece may be overwritten.
    this.#pending = Buffer.from(bytes)
    return null
  }
}

const lengthName = '\r\ncontent-length:'

function lengthIn(head: string): number {
  const at = head.indexOf(lengthName)
  const length = at < 0 ? Number.NaN : Number.parseInt(head.slice(at + lengthName.length, at + 40), 10)
  if (!(length >= 0)) throw new Error('an answer without Content-Length')
  return length
}
