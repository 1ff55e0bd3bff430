import type { UnpackResult } from '../codec/dialect.ts'
import type { DialectFormat } from '../codec/dialect-format.ts'
import { maskMessage } from '../codec/mask.ts'
import type { Message } from '../codec/message.ts'
import type { Micros } from '../core/ids.ts'

/**
 * The messages of one listener as lines of JSON, each value masked as its field says, hidden where it says nothing. Of
 * what could not be read there is only where and why: its bytes could be anything.
 */
export class FrameLog {
  readonly #format: DialectFormat
  readonly #write: (line: string) => void
  readonly #now: () => Micros

  constructor(format: DialectFormat, write: (line: string) => void, now: () => Micros) {
    this.#format = format
    this.#write = write
    this.#now = now
  }

  received(read: UnpackResult, bytes: number, peer: string | undefined): void {
    if (read.ok) {
      this.#line('received', read.message, bytes, peer)
      return
    }
    const { path, offset, code } = read.error
    this.#write(JSON.stringify({ at: this.#at(), peer, direction: 'received', bytes, error: { path, offset, code } }))
  }

  sent(message: Message, bytes: number, peer: string | undefined): void {
    this.#line('sent', message, bytes, peer)
  }

  #line(direction: string, message: Message, bytes: number, peer: string | undefined): void {
    const shown = Object.fromEntries(maskMessage(this.#format, message))
    this.#write(JSON.stringify({ at: this.#at(), peer, direction, bytes, message: shown }))
  }

  #at(): string {
    return new Date(this.#now() / 1000).toISOString()
  }
}
