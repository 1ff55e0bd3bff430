import type { Dialect } from '../../src/codec/dialect.ts'
import { CodecError, codecErrorTexts } from '../../src/codec/errors.ts'
import { bitmapOf, explain } from '../../src/codec/explain.ts'
import { maskMessage } from '../../src/codec/mask.ts'
import type { Composite, Message } from '../../src/codec/message.ts'
import type { Corpus } from './corpus.ts'
import { mutate, Random } from './random.ts'

/** What must hold did not: which message, of which dialect. */
export class FuzzFailure extends Error {
  constructor(dialect: string, bytes: Buffer, problem: string) {
    super(`${problem}\n  dialect ${dialect}\n  message ${bytes.toString('hex').toUpperCase()}`)
    this.name = 'FuzzFailure'
  }
}

export interface CodecRun {
  readonly corpora: readonly Corpus[]
  readonly seed: number
  readonly count: number
  /** Called after each `every` messages; false ends the run. */
  readonly progress?: { readonly every: number; tell(done: number): boolean }
}

export interface CodecOutcome {
  readonly messages: number
  readonly accepted: number
  readonly refused: number
  readonly repacked: number
}

/** Mutated messages through every part of the codec, and changed values through pack. Throws FuzzFailure. */
export function fuzzCodec({ corpora, seed, count, progress }: CodecRun): CodecOutcome {
  const random = new Random(seed)
  const all = corpora.flatMap(({ messages }) => messages)
  let messages = 0
  let accepted = 0
  let repacked = 0
  while (messages < count) {
    const { name, dialect, messages: own } = random.pick(corpora)
    // One in sixteen of another dialect, or of no dialect at all.
    const stranger = random.below(16)
    const base = stranger === 0 ? random.pick(all) : stranger === 1 ? random.bytes(random.below(200)) : random.pick(own)
    const bytes = mutate(random, base, random.pick(all))
    const message = expectMessageOrError(name, dialect, bytes, random.below(16) === 0)
    messages++
    if (message !== undefined) {
      accepted++
      if (expectPackOrError(name, dialect, changed(random, message))) repacked++
    }
    if (progress !== undefined && messages % progress.every === 0 && !progress.tell(messages)) break
  }
  return { messages, accepted, refused: messages - accepted, repacked }
}

/** Any bytes are a message that packs to itself, or an error that says where. */
export function expectMessageOrError(name: string, dialect: Dialect, bytes: Buffer, explained = true) {
  const check = (isSo: boolean, problem: string) => {
    if (!isSo) throw new FuzzFailure(name, bytes, problem)
  }
  const result = guarded(name, bytes, () => dialect.unpack(bytes))
  const { message } = result
  check(/^(\d{4})?$/.test(message.mti), 'an MTI that is not four digits')
  guarded(name, bytes, () => maskMessage(dialect.format, message))
  const scan = guarded(name, bytes, () => dialect.scan(bytes, [2, 11, 41]))
  if (explained) {
    guarded(name, bytes, () => bitmapOf(dialect.format, bytes))
    const elements = guarded(name, bytes, () => explain(dialect.format, bytes))
    const inside = elements.every(each => each.offset + each.bytes.length <= bytes.length)
    check(inside, 'explain goes beyond the message')
  }
  if (!result.ok) {
    const { path, offset, code, text } = result.error
    check(path !== '' && text === codecErrorTexts[code], 'an error without a path or a text')
    check(offset >= 0 && offset <= bytes.length, 'an error outside the message')
    return undefined
  }
  check(scan.ok && scan.message.fields[11] === message.fields[11], 'a scan differs from unpack')
  const packed = guarded(name, bytes, () => dialect.pack(message))
  const again = guarded(name, bytes, () => dialect.unpack(packed))
  check(again.ok && isSame(again.message, message), 'a message does not come back from its own bytes')
  return message
}

/** A message with a changed value packs to bytes that unpack, or is refused by CodecError. */
function expectPackOrError(name: string, dialect: Dialect, message: Message): boolean {
  let bytes: Buffer
  try {
    bytes = dialect.pack(message)
  } catch (error) {
    if (error instanceof CodecError && error.path !== '') return false
    throw new FuzzFailure(name, Buffer.alloc(0), `pack threw ${String(error)}`)
  }
  if (!dialect.unpack(bytes).ok) throw new FuzzFailure(name, bytes, 'pack wrote what unpack refuses')
  return true
}

function guarded<Result>(name: string, bytes: Buffer, work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    throw new FuzzFailure(name, bytes, `threw ${error instanceof Error ? error.stack : String(error)}`)
  }
}

const characters = ['0', '9', 'A', 'f', 'z', ' ', '=', 'D', '\u0000', 'é', '\u0686', '\ud83d', '\u0131']

/** One value made longer, shorter or different, or moved to another element. */
function changed(random: Random, message: Message): Message {
  const fields = [...message.fields]
  const composites = new Map(message.composites ?? [])
  const numbers = [...fields.keys()].filter(number => fields[number] !== undefined)
  const number = random.pick([...numbers, ...composites.keys(), 2])
  const composite = composites.get(number)
  if (composite !== undefined) composites.set(number, changedComposite(random, composite))
  else fields[random.below(8) === 0 ? random.below(140) : number] = changedText(random, fields[number] ?? '')
  return { ...message, fields, composites }
}

function changedComposite(random: Random, composite: Composite): Composite {
  const copy = new Map(composite)
  const key = random.pick([...copy.keys(), '99', '9F26', ''])
  const value = copy.get(key)
  if (random.below(4) === 0) copy.delete(key)
  else copy.set(key, typeof value === 'object' ? changedComposite(random, value) : changedText(random, value ?? '00'))
  return copy
}

function changedText(random: Random, text: string): string {
  const at = random.below(text.length + 1)
  const piece = random.pick(characters).repeat(random.below(8) === 0 ? 200 : 1 + random.below(3))
  return text.slice(0, at) + piece + text.slice(at + random.below(3))
}

function isSame(left: Message, right: Message): boolean {
  const length = Math.max(left.fields.length, right.fields.length)
  for (let number = 0; number < length; number++) if (left.fields[number] !== right.fields[number]) return false
  const isSameFront = left.mti === right.mti && left.header === right.header
  return isSameFront && isSameComposite(left.composites ?? new Map(), right.composites ?? new Map())
}

type Members = ReadonlyMap<string | number, string | Composite>

function isSameComposite(left: Members, right: Members): boolean {
  if (left.size !== right.size) return false
  for (const [key, value] of left) {
    const other = right.get(key)
    if (typeof value === 'string' || typeof other !== 'object') {
      if (value !== other) return false
    } else if (!isSameComposite(value, other)) return false
  }
  return true
}
