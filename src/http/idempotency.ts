import type { FastifyRequest } from 'fastify'
import type { Key } from '../core/commands.ts'
import { fingerprint } from '../core/content.ts'
import { clientKey } from '../core/keys.ts'
import { sha256Hex } from '../crypto/hash.ts'
import type { ApiKey } from './api-keys.ts'
import { limits } from './limits.ts'
import type { Refusal } from './problem.ts'

export const idempotencyHeader = 'Idempotency-Key'
export const replayedHeader = 'Idempotent-Replayed'

const visibleAscii = /^[\x21-\x7e]+$/

const isIdempotencyKey = (text: string): boolean =>
  text.length <= limits.idempotencyKeyLengthMax && visibleAscii.test(text)

/** The key of the request that an API key sent with this Idempotency-Key. */
export const keyOf = (apiKey: ApiKey, idempotencyKey: string): Key => clientKey(apiKey.id, sha256Hex(idempotencyKey))

/** The key of a request from its header, or why it has none. */
export function readKey(request: FastifyRequest): { key: Key } | { refusal: Refusal } {
  const header = request.headers['idempotency-key']
  if (header === undefined || header === '') {
    return { refusal: { reason: 'key_missing', errors: [{ field: idempotencyHeader, message: 'is required' }] } }
  }
  if (typeof header !== 'string' || !isIdempotencyKey(header)) {
    const message = `must be 1 to ${limits.idempotencyKeyLengthMax} visible ASCII characters`
    return { refusal: { reason: 'format_invalid', errors: [{ field: idempotencyHeader, message }] } }
  }
  return { key: keyOf(request.apiKey, header) }
}

/** The fields of a call's content as a client knows them: the same key on another call differs in the key itself. */
export const contentNames = (...fields: readonly string[]): readonly string[] => [idempotencyHeader, ...fields]

/** Method and path, then each field of the body, in the order of the call's `contentNames`. */
export const fingerprintOf = (...fields: readonly (string | null)[]): string => fingerprint(fields, sha256Hex)

/** The requests under way in this process, by key: a second one with the same key is told so instead of waiting. */
export class InFlight {
  readonly #keys = new Set<Key>()

  /** False if the key is under way already. */
  enter(key: Key): boolean {
    if (this.#keys.has(key)) return false
    this.#keys.add(key)
    return true
  }

  has(key: Key): boolean {
    return this.#keys.has(key)
  }

  leave(key: Key): void {
    this.#keys.delete(key)
  }
}
