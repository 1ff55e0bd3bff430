import { compileDialect } from '../dialect.ts'
import { newMessage } from '../message.ts'

/** MTI in BCD and a binary bitmap with DE2 alone: what stands before the element in the tests of one element. */
const front = '02004000000000000000'
const frontBytes = front.length / 2

/** A dialect whose only data element, DE2, is `field`: its bytes as hexadecimal, and the value or the error of bytes. */
export function elementDialect(field: Record<string, unknown>) {
  const dialect = compileDialect({
    name: 'element',
    mti: { encoding: 'bcd' },
    bitmap: { encoding: 'binary' },
    encodings: { number: 'ascii', text: 'ascii', track: 'ascii', binary: 'binary', prefix: 'ascii' },
    fields: { 2: { name: 'element', ...field } },
  })
  return {
    pack(value: string) {
      const message = newMessage('0200')
      message.fields[2] = value
      return dialect.pack(message).toString('hex').slice(front.length)
    },
    unpack(hex: string) {
      const result = dialect.unpack(Buffer.from(front + hex, 'hex'))
      return result.ok
        ? { value: result.message.fields[2] }
        : { code: result.error.code, offset: result.error.offset - frontBytes }
    },
    skips: (hex: string) => dialect.scan(Buffer.from(front + hex, 'hex'), [3]).ok,
  }
}
