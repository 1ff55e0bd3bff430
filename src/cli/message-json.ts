import type { Composite, Message } from '../codec/message.ts'
import { newMessage } from '../codec/message.ts'

/** JSON that keeps the order of its members: tags that look like numbers would else come first. */
export type OrderedJson = string | number | boolean | null | OrderedJson[] | Map<string, OrderedJson>

/** The members of a message for JSON, in wire order. */
export function messageMembers({ mti, fields, composites }: Message): Map<string, OrderedJson> {
  const elements = new Map<string, OrderedJson>()
  const count = Math.max(fields.length, ...(composites?.keys() ?? []).map(number => number + 1))
  for (let number = 0; number < count; number++) {
    const value = fields[number] ?? composites?.get(number)
    if (value !== undefined) elements.set(String(number), value)
  }
  return new Map<string, OrderedJson>([
    ['mti', mti],
    ['fields', elements],
  ])
}

export function stringify(value: OrderedJson, indent = ''): string {
  const inner = `${indent}  `
  if (value instanceof Map) {
    if (value.size === 0) return '{}'
    const members = Array.from(value, ([key, each]) => `${inner}${JSON.stringify(key)}: ${stringify(each, inner)}`)
    return `{\n${members.join(',\n')}\n${indent}}`
  }
  if (Array.isArray(value)) return `[${value.map(each => stringify(each, inner)).join(', ')}]`
  return JSON.stringify(value)
}

/** A JSON text that is not a message: the message names the place. */
export class MessageJsonError extends Error {}

/** Standing before each member name, so that none looks like a number and the order is kept. */
const mark = '\u0000'

/** What `charsu decode` prints; the last two follow from the others, and are passed over. */
const members: readonly string[] = ['mti', 'fields', 'header', 'tpdu', 'bitmap', 'error']

/** `{mti, fields, header?, tpdu?}` as `charsu decode` prints it. Throws MessageJsonError. */
export function parseMessage(text: string): { message: Message; tpdu: string | undefined } {
  const root = parseOrdered(text)
  if (!(root instanceof Map)) throw new MessageJsonError('a message must be an object with mti and fields')
  for (const key of root.keys()) {
    if (!members.includes(key))
      throw new MessageJsonError(`${key}: is not a member of a message (${members.join(', ')})`)
  }
  const mti = root.get('mti')
  if (typeof mti !== 'string') throw new MessageJsonError('mti must be a text of four digits')
  const fields = root.get('fields')
  if (!(fields instanceof Map)) throw new MessageJsonError('fields must be an object')
  const message = newMessage(mti)
  const header = root.get('header')
  if (typeof header === 'string') message.header = header
  else if (header !== undefined) throw new MessageJsonError('header must be hexadecimal text')
  const tpdu = root.get('tpdu')
  if (tpdu !== undefined && (typeof tpdu !== 'string' || !/^[0-9A-Fa-f]{10}$/.test(tpdu))) {
    throw new MessageJsonError('tpdu must be ten hexadecimal digits')
  }
  for (const [key, value] of fields) {
    if (!/^[1-9]\d{0,2}$/.test(key)) throw new MessageJsonError(`fields.${key}: must be the number of a field`)
    const number = Number.parseInt(key, 10)
    if (typeof value === 'string') message.fields[number] = value
    else {
      message.composites ??= new Map()
      message.composites.set(number, compositeOf(value, key))
    }
  }
  return { message, tpdu }
}

function compositeOf(value: OrderedJson, path: string): Composite {
  if (!(value instanceof Map)) throw new MessageJsonError(`fields.${path}: must be text or an object`)
  return new Map(
    Array.from(value, ([key, each]) => [key, typeof each === 'string' ? each : compositeOf(each, `${path}.${key}`)]),
  )
}

function parseOrdered(text: string): OrderedJson {
  // Only to have an error about the text as it was given.
  JSON.parse(text)
  const marked = text.replace(/"((?:[^"\\]|\\.)*)"(\s*:)?/g, (string, inner: string, colon: string | undefined) =>
    colon === undefined ? string : `"\\u0000${inner}"${colon}`,
  )
  return ordered(JSON.parse(marked))
}

function ordered(value: unknown): OrderedJson {
  if (Array.isArray(value)) return value.map(ordered)
  if (typeof value !== 'object' || value === null) return value as OrderedJson
  return new Map(Object.entries(value).map(([key, each]) => [key.slice(mark.length), ordered(each)]))
}
