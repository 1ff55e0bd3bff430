import { maskCardNumbers, maskedDigitsMin } from './mask.ts'

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

/**
 * The one line of each transaction, as the logger of everything else would write it, for a tenth of the time: the names
 * of the fields are part of the program, and only values that can hold a card number are looked through for one.
 */
export class TransactionLog {
  readonly #write: (line: string) => void
  readonly #isOn: boolean
  #millis = 0
  #time = ''

  constructor(write: (line: string) => void, isOn: boolean) {
    this.#write = write
    this.#isOn = isOn
  }

  terminal(of: TerminalTransaction, transaction: string | null): void {
    if (!this.#isOn) return
    this.#write(
      `{"level":"info","time":"${this.#now()}","channel":"terminal","command":${textOf(of.kind)},` +
        `"transaction":${textOf(transaction)},"mti":${textOf(of.mti)},"reason":${textOf(of.reason)},` +
        `"replayed":${of.replayed},"tenant":${of.tenant},"terminal":${textOf(of.terminal)},` +
        `"merchant":${textOf(of.merchant)},"stan":${textOf(of.stan)},"rrn":${textOf(of.rrn)},` +
        `"responseCode":${textOf(of.de39)},"amount":${of.amount === null ? null : textOf(withoutZeros(of.amount))},` +
        `"elapsedMs":${of.micros / 1000},"msg":"transaction"}\n`,
    )
  }

  api(of: ApiTransaction): void {
    if (!this.#isOn) return
    this.#write(
      `{"level":"info","time":"${this.#now()}","channel":"api","tenant":${of.tenant},"client":${of.client},` +
        `"command":${textOf(of.command)},"transaction":${textOf(of.transaction)},"rrn":${textOf(of.rrn)},` +
        `"merchant":${textOf(of.merchant)},"terminal":${textOf(of.terminal)},"currency":${textOf(of.currency)},` +
        `"phase":${textOf(of.phase)},"reason":${textOf(of.reason)},"responseCode":${textOf(of.responseCode)},` +
        `"replayed":${of.replayed},"elapsedMs":${Math.round(of.elapsedMs * 1000) / 1000},` +
        `"amount":${of.amount === null ? null : textOf(of.amount.toString())},"msg":"transaction"}\n`,
    )
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

/** A text as JSON, card numbers masked. Plain ones, which nearly all are, go without the functions for the others. */
function textOf(text: string | null): string {
  if (text === null) return 'null'
  return isPlain(text) ? `"${text}"` : JSON.stringify(maskCardNumbers(text))
}

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
