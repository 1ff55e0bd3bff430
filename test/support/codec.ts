import type { UnpackResult } from '../../src/codec/dialect.ts'

const highest = 128

/** With room for all elements, as a message of `newMessage` has: one that ends sooner is no other message. */
export function padded(result: UnpackResult): UnpackResult {
  result.message.fields.length = highest + 1
  return result
}
