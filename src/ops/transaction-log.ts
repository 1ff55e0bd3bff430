import { maskCardNumbers, maskedDigitsMin } from './mask.ts'
import { fixed, TextBytes } from './text-bytes.ts'

/** A message of a terminal. `transaction`: as clients know it. Codes and amounts may be anything that a client sent. */
export interface TerminalTransaction {
  readonly mti: string
  readonly kind: string
  readonly reason: string | null
  readonly de39: string | null
  readonly replayed: boolean
  readonly tenant: number | null
  readonly terminal: string | null
  readonly merchant: string | null
  readonly stan: string
  readonly rrn: string | null
  /** Digits, zeros in front. */
  readonly amount: string | null
  readonly micros: number
}

/** A command by HTTP. */
export interface ApiTransaction {
  readonly tenant: number
  readonly client: number
  readonly command: string
  readonly transaction: string | null
  readonly rrn: string | null
  readonly merchant: string | null
  readonly terminal: string | null
  readonly currency: string | null
  readonly phase: string | null
  readonly reason: string
  readonly responseCode: string
  readonly replayed: boolean
  readonly elapsedMs: number
  readonly amount: bigint | null
}

/** Takes the first `length` bytes, which another line is written over as soon as it returns. */
export type WriteLine = (bytes: Buffer, length: number) => void

const level = fixed('{"level":"info","time":"')
const ofTerminal = fixed('","channel":"terminal","command":')
const ofApi = fixed('","channel":"api","tenant":')
const command = fixed(',"command":')
const transaction = fixed(',"transaction":')
const mti = fixed(',"mti":')
const reason = fixed(',"reason":')
const phase = fixed(',"phase":')
const replayed = fixed(',"replayed":true')
const notReplayed = fixed(',"replayed":false')
const tenant = fixed(',"tenant":')
const client = fixed(',"client":')
const terminal = fixed(',"terminal":')
const merchant = fixed(',"merchant":')
const currency = fixed(',"currency":')
const stan = fixed(',"stan":')
const rrn = fixed(',"rrn":')
const responseCode = fixed(',"responseCode":')
const amount = fixed(',"amount":')
const elapsedMs = fixed(',"elapsedMs":')
const message = fixed(',"msg":"transaction"}\n')
const nothing = fixed('null')

/**
 * The one line of each transaction, as the logger of everything else would write it, for a twentieth of the time: the
 * names of the fields are part of the program, only values that can hold a card number are looked through for one, and
 * it is made as bytes.
 */
export class TransactionLog {
  readonly #write: WriteLine
  readonly #isOn: boolean
  readonly #line = new TextBytes()
  #millis = 0
  #time = ''

  constructor(write: WriteLine, isOn: boolean) {
    this.#write = write
    this.#isOn = isOn
  }

  terminal(of: TerminalTransaction, id: string | null): void {
    if (!this.#isOn) return
    const line = this.#begin()
    masked(line, ofTerminal, of.kind)
    masked(line, transaction, id)
    masked(line, mti, of.mti)
    masked(line, reason, of.reason)
    line.fixed(of.replayed ? replayed : notReplayed)
    line.fixed(tenant)
    if (of.tenant === null) line.fixed(nothing)
    else line.integer(of.tenant)
    masked(line, terminal, of.terminal)
    masked(line, merchant, of.merchant)
    masked(line, stan, of.stan)
    masked(line, rrn, of.rrn)
    masked(line, responseCode, of.de39)
    masked(line, amount, of.amount === null ? null : withoutZeros(of.amount))
    line.fixed(elapsedMs)
    thousandths(line, of.micros)
    line.fixed(message)
    this.#write(line.bytes, line.length)
  }

  api(of: ApiTransaction): void {
    if (!this.#isOn) return
    const line = this.#begin()
    line.fixed(ofApi)
    line.integer(of.tenant)
    line.fixed(client)
    line.integer(of.client)
    masked(line, command, of.command)
    masked(line, transaction, of.transaction)
    masked(line, rrn, of.rrn)
    masked(line, merchant, of.merchant)
    masked(line, terminal, of.terminal)
    masked(line, currency, of.currency)
    masked(line, phase, of.phase)
    masked(line, reason, of.reason)
    masked(line, responseCode, of.responseCode)
    line.fixed(of.replayed ? replayed : notReplayed)
    line.fixed(elapsedMs)
    thousandths(line, Math.round(of.elapsedMs * 1000))
    masked(line, amount, of.amount === null ? null : of.amount.toString())
    line.fixed(message)
    this.#write(line.bytes, line.length)
  }

  #begin(): TextBytes {
    const line = this.#line
    line.begin()
    line.fixed(level)
    line.ascii(this.#now())
    return line
  }

  /** Many lines are written in one millisecond, and its text costs more than all the rest of a line. */
  #now(): string {
    const millis = Date.now()
    if (millis !== this.#millis) {
      this.#millis = millis
      this.#time = new Date(millis).toISOString()
    }
    return this.#time
  }
}

/** Card numbers masked. Short texts and plain ones, which nearly all are, go without the functions for the others. */
function masked(line: TextBytes, name: Uint8Array, text: string | null): void {
  line.fixed(name)
  if (text === null || text.length < maskedDigitsMin || isPlain(text)) line.quoted(text)
  else line.utf8(JSON.stringify(maskCardNumbers(text)))
}

/** A whole number of thousandths as JSON has it: 3912 is 3.912, 3900 is 3.9. */
function thousandths(line: TextBytes, value: number): void {
  const rest = Math.abs(value % 1000)
  if (value < 0) line.ascii('-')
  line.integer(Math.floor(Math.abs(value) / 1000))
  if (rest !== 0) line.ascii(fractions[rest]!)
}

const fractions = Array.from({ length: 1000 }, (_, rest) => String(rest / 1000).slice(1))

/** Whether a text is the same in JSON, and too short of digits for a card number. */
function isPlain(text: string): boolean {
  let digits = 0
  let isWord = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code >= 0x30 && code <= 0x39) {
      // Behind a letter or a point there is no card number: the code of a merchant is M and fourteen digits.
      if (++digits >= maskedDigitsMin && !isWord) return false
    } else {
      if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return false
      digits = 0
      isWord = isLetter(code) || code === 0x2e
    }
  }
  return true
}

const isLetter = (code: number): boolean => (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a)

function withoutZeros(digits: string): string {
  let at = 0
  while (at < digits.length - 1 && digits.charCodeAt(at) === 0x30) at++
  return at === 0 ? digits : digits.slice(at)
}
