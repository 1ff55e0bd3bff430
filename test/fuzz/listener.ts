import { connect } from 'node:net'
import type { Dialect } from '../../src/codec/dialect.ts'
import { defaultFraming, FrameReader } from '../../src/codec/framing.ts'
import type { Message } from '../../src/codec/message.ts'
import { isAnswerable, replyMtiOf } from '../../src/iso8583/mti.ts'
import { mutate, Random } from './random.ts'

export interface ListenerRun {
  readonly host: string
  readonly port: number
  /** What the listener speaks, with the default framing. */
  readonly dialect: Dialect
  readonly messages: readonly Buffer[]
  readonly seed: number
  readonly count: number
  readonly connections: number
  /** Called after each salvo; false ends the run. */
  tell(done: number): boolean
}

export interface ListenerOutcome {
  frames: number
  answered: number
  ignored: number
  /** Connections that the listener closed because of a frame. */
  closed: number
  connections: number
}

const framesPerSalvo = 64
const readablePerAny = 24
const salvoTimeoutMs = 30_000

/**
 * Damaged frames against a listener, a salvo a connection. What it owes is worked out here: an answer for each frame
 * that can be answered, up to the one after which it has to close. Throws where it does less, or more.
 */
export async function fuzzListener(run: ListenerRun): Promise<ListenerOutcome> {
  const random = new Random(run.seed)
  const outcome: ListenerOutcome = { frames: 0, answered: 0, ignored: 0, closed: 0, connections: 0 }
  let isOver = false
  const worker = async () => {
    while (!isOver && outcome.frames < run.count) {
      const bytes = salvo(random, run, Math.min(framesPerSalvo, run.count - outcome.frames))
      const owed = expected(run.dialect, bytes)
      outcome.frames += owed.frames
      const replies = await exchange(run, bytes)
      check(owed, replies, bytes)
      outcome.connections++
      outcome.answered += owed.replies.length
      outcome.ignored += owed.ignored
      outcome.closed += owed.isClosed ? 1 : 0
      if (!run.tell(outcome.frames)) isOver = true
    }
  }
  await Promise.all(Array.from({ length: run.connections }, worker))
  return outcome
}

/** Frames one after the other; now and then the length in front of one is wrong, or the last is not whole. */
function salvo(random: Random, { messages, dialect }: ListenerRun, count: number): Buffer {
  const parts: Buffer[] = []
  for (let frames = 0; frames < count; frames++) {
    const body = damaged(random, messages, dialect)
    const length = Buffer.alloc(2)
    length.writeUInt16BE(random.below(200) === 0 ? random.below(0x10000) : body.length)
    parts.push(length, random.below(200) === 0 ? body.subarray(0, random.below(body.length + 1)) : body)
  }
  return Buffer.concat(parts)
}

/** Mostly one that can be answered, so that a connection lives to see more. */
function damaged(random: Random, messages: readonly Buffer[], dialect: Dialect): Buffer {
  const isAny = random.below(readablePerAny) === 0
  for (;;) {
    const body = mutate(random, random.pick(messages), random.pick(messages))
    if (isAny || isReadable(dialect.unpack(body).message)) return body
  }
}

const isReadable = ({ mti, fields }: Message) => mti !== '' && /^\d{6}$/.test(fields[11] ?? '')

interface Owed {
  frames: number
  readonly replies: string[]
  ignored: number
  isClosed: boolean
}

/** What design and reply rules say of these bytes: see `exchange.ts`. */
function expected(dialect: Dialect, bytes: Buffer): Owed {
  const { frames, error } = new FrameReader(defaultFraming).push(bytes)
  const owed: Owed = { frames: 0, replies: [], ignored: 0, isClosed: error !== undefined }
  for (const { body } of frames) {
    owed.frames++
    const { message } = dialect.unpack(body)
    if (!isReadable(message)) return { ...owed, isClosed: true }
    if (isAnswerable(message.mti)) owed.replies.push(keyOf(replyMtiOf(message.mti), message))
    else owed.ignored++
  }
  // Bytes that are no frame count as one, so that a run ends.
  return owed.frames === 0 ? { ...owed, frames: 1 } : owed
}

const keyOf = (mti: string, { fields }: Message) => `${mti} ${fields[11]}`

/** Sends the bytes and the end, and reads to the end: the keys of the replies. */
function exchange({ host, port, dialect }: ListenerRun, bytes: Buffer): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const replies: string[] = []
    const reader = new FrameReader(defaultFraming)
    const socket = connect({ host, port, noDelay: true, allowHalfOpen: true })
    const fail = (problem: string) => {
      socket.destroy()
      reject(new Error(`${problem}\n  sent ${bytes.toString('hex').toUpperCase()}`))
    }
    socket.setTimeout(salvoTimeoutMs, () => fail(`the listener neither answered nor closed in ${salvoTimeoutMs} ms`))
    socket.on('connect', () => socket.end(bytes))
    socket.on('data', chunk => {
      const { frames, error } = reader.push(chunk as Buffer)
      if (error !== undefined) fail(`a reply has a bad frame: ${error.code}`)
      for (const { body } of frames) {
        const result = dialect.unpack(body)
        if (!result.ok) fail(`a reply does not decode: ${result.error.path} ${result.error.code}`)
        if (result.message.fields[39] === undefined) fail('a reply without DE39')
        replies.push(keyOf(result.message.mti, result.message))
      }
    })
    socket.on('error', error => {
      // It stopped reading and closed: what was still under way is reset.
      if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET' && (error as NodeJS.ErrnoException).code !== 'EPIPE') {
        fail(`the connection failed: ${error.message}`)
      }
    })
    socket.on('close', () => resolve(replies))
    socket.on('end', () => socket.destroy())
  })
}

function check({ replies: owed, isClosed }: Owed, replies: readonly string[], bytes: Buffer) {
  const missing = owed.toSorted()
  for (const reply of replies) {
    const at = missing.indexOf(reply)
    if (at < 0) throw new Error(`a reply that was not owed: ${reply}\n  sent ${bytes.toString('hex').toUpperCase()}`)
    missing.splice(at, 1)
  }
  // A reset after a close may take the last answers with it.
  if (missing.length === 0 || (isClosed && replies.length === 0 && owed.length === 0)) return
  const problem = `${missing.length} of ${owed.length} replies are missing: ${missing.slice(0, 5).join(', ')}`
  throw new Error(`${problem}\n  sent ${bytes.toString('hex').toUpperCase()}`)
}
