import { createHmac, hash, type KeyObject } from 'node:crypto'

const blockBytes = 64
const digestBytes = 32
/** Of UTF-8: longer texts go another way. */
const textBytesMax = 192
const utf8BytesOfCharacter = 3

/**
 * HMAC-SHA-256 (RFC 2104) of short texts under one key: two hashes over the padded key, which is prepared once. An
 * `Hmac` of node:crypto is a native object that is made and collected for each text, at more than twice the price.
 */
export class HmacSha256 {
  readonly #key: KeyObject
  readonly #inner = Buffer.alloc(blockBytes + textBytesMax, 0x36)
  readonly #outer = Buffer.alloc(blockBytes + digestBytes, 0x5c)
  /** By length: what the inner hash is of. */
  readonly #inners: Buffer[] = []

  constructor(key: KeyObject) {
    this.#key = key
    const given = key.export()
    const bytes = given.length > blockBytes ? hash('sha256', given, 'buffer') : given
    for (let at = 0; at < bytes.length; at++) {
      this.#inner[at]! ^= bytes[at]!
      this.#outer[at]! ^= bytes[at]!
    }
    // A copy of the key, which would stay in memory until something else needs the place.
    given.fill(0)
    bytes.fill(0)
  }

  /** 64 hexadecimal digits. */
  hexOf(text: string): string {
    if (text.length * utf8BytesOfCharacter > textBytesMax) {
      return createHmac('sha256', this.#key).update(text).digest('hex')
    }
    const end = blockBytes + this.#inner.write(text, blockBytes)
    this.#inners[end] ??= this.#inner.subarray(0, end)
    // As text between the two hashes: a Buffer for each would cost as much as they do.
    this.#outer.write(hash('sha256', this.#inners[end], 'latin1'), blockBytes, 'latin1')
    return hash('sha256', this.#outer, 'hex')
  }
}
