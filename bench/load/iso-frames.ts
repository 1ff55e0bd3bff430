import { compileDialect, type Dialect } from '../../src/codec/dialect.ts'
import { defaultFraming, encodeFrame } from '../../src/codec/framing.ts'
import { newMessage } from '../../src/codec/message.ts'
import { cardNumber } from '../../src/core/card-numbers.ts'
import iso87a from '../../switch-config/dialects/iso87a.json' with { type: 'json' }
import { cardBin, currencyNumeric, merchantCode, terminalCode } from '../tenant.ts'

export const dialect: Dialect = compileDialect(iso87a)

export const panDigits = 16
const stanDigits = 6
const amountDigits = 12
export const timeDigits = 10

/** A frame whose changing digits are written over in place, so that the generator costs little beside the switch. */
export interface FrameTemplate {
  readonly frame: Buffer
  readonly amountAt: number
  readonly timeAt: number
  readonly stanAt: number
  /** -1: not in this message. */
  readonly panAt: number
  /** DE11 of DE90, DE7 right behind it; -1: not in this message. */
  readonly originalAt: number
}

// Digits that occur nowhere else in the frames, to be found again.
const mark = { pan: '9999999999999999', amount: '777777777777', time: '5555555555', stan: '888888' } as const

/** 0200 with the 12 elements that a purchase has on most terminals. */
export function authorizeTemplate(terminal: number): FrameTemplate {
  return template('0200', {
    2: mark.pan,
    3: '000000',
    4: mark.amount,
    7: mark.time,
    11: mark.stan,
    12: '131411',
    13: '0911',
    22: '051',
    25: '00',
    41: terminalCode(terminal).padEnd(8),
    42: merchantCode(terminal).padEnd(15),
    49: currencyNumeric,
  })
}

/** 0202, naming its 0200 by DE90. */
export function confirmTemplate(terminal: number): FrameTemplate {
  return template('0202', {
    3: '000000',
    4: mark.amount,
    7: mark.time,
    11: mark.stan,
    41: terminalCode(terminal).padEnd(8),
    42: merchantCode(terminal).padEnd(15),
    49: currencyNumeric,
    90: `0200${'6'.repeat(stanDigits + timeDigits)}${'0'.repeat(22)}`,
  })
}

/** 0210 or 0212 with the elements that the switch's own has: for a server that only answers. */
export function answerTemplate(mti: '0210' | '0212'): FrameTemplate {
  return template(mti, {
    3: '000000',
    4: mark.amount,
    7: mark.time,
    11: mark.stan,
    15: '0911',
    37: '425400000000',
    38: '000000',
    39: '00',
    41: terminalCode(0).padEnd(8),
    42: merchantCode(0).padEnd(15),
    49: currencyNumeric,
    ...(mti === '0212' ? { 90: '0'.repeat(42) } : {}),
  })
}

function template(mti: string, elements: Readonly<Record<number, string>>): FrameTemplate {
  const message = newMessage(mti)
  for (const [number, text] of Object.entries(elements)) message.fields[Number.parseInt(number, 10)] = text
  const frame = encodeFrame(defaultFraming, dialect.pack(message))
  const find = (text: string): number => frame.indexOf(text, 0, 'latin1')
  return {
    frame,
    amountAt: find(mark.amount),
    timeAt: find(mark.time),
    stanAt: find(mark.stan),
    panAt: find(mark.pan),
    originalAt: find('6'.repeat(stanDigits + timeDigits)),
  }
}

/** The numbers of cards 1 to `count`, one behind the other, as text. */
export function panTable(count: number): Buffer {
  const table = Buffer.allocUnsafe(count * panDigits)
  for (let index = 0; index < count; index++) {
    table.write(cardNumber(cardBin, index + 1), index * panDigits, panDigits, 'latin1')
  }
  return table
}

export const writeStan = (bytes: Buffer, at: number, stan: number): void => writeDigits(bytes, at, stanDigits, stan)
export const writeAmount = (bytes: Buffer, at: number, amount: number): void =>
  writeDigits(bytes, at, amountDigits, amount)

function writeDigits(bytes: Buffer, at: number, digits: number, value: number): void {
  let rest = value
  for (let index = at + digits - 1; index >= at; index--) {
    const tenth = Math.floor(rest / 10)
    bytes[index] = 48 + rest - tenth * 10
    rest = tenth
  }
}

/** DE7 (MMDDhhmmss, UTC) of now, made once a second. */
export class TransmissionTime {
  readonly bytes: Buffer = Buffer.alloc(timeDigits)
  #second = 0

  refresh(): void {
    const now = Date.now()
    const second = Math.floor(now / 1000)
    if (second === this.#second) return
    this.#second = second
    this.bytes.write(new Date(now).toISOString().replace(/\D/g, '').slice(4, 14), 'latin1')
  }
}
