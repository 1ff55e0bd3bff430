import type { Dialect } from '../codec/dialect.ts'
import { defaultFraming, encodeFrame } from '../codec/framing.ts'
import { newMessage } from '../codec/message.ts'
import { panDigits, writeDigits } from './cards.ts'
import type { Step } from './recorder.ts'
import type { Till } from './spec.ts'

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
const mark = { amount: '777777777777', time: '5555555555', stan: '888888', pan: '9'.repeat(panDigits) } as const
const originalMark = '6'.repeat(stanDigits + timeDigits)

/** The messages of one terminal. Throws where the dialect is not one of text, such as `iso87a`. */
export function templatesOf(
  dialect: Dialect,
  { terminal, merchant }: Till,
  currency: string,
): Readonly<Record<Step, FrameTemplate>> {
  const common = {
    3: '000000',
    4: mark.amount,
    7: mark.time,
    11: mark.stan,
    41: terminal.padEnd(8),
    42: merchant.padEnd(15),
    49: currency,
  }
  const original = { 90: `0200${originalMark}${'0'.repeat(22)}` }
  return {
    // The 12 elements that a purchase has on most terminals.
    authorize: templateOf(dialect, '0200', { ...common, 2: mark.pan, 12: '131411', 13: '0911', 22: '051', 25: '00' }),
    confirm: templateOf(dialect, '0202', { ...common, ...original }),
    reverse: templateOf(dialect, '0400', { ...common, ...original }),
  }
}

/** 0210, 0212 or 0410 with the elements that the switch's own has: for a server that only answers. */
export function answerTemplateOf(dialect: Dialect, mti: string): FrameTemplate {
  return templateOf(dialect, mti, {
    3: '000000',
    4: mark.amount,
    7: mark.time,
    11: mark.stan,
    15: '0911',
    37: '425400000000',
    38: '000000',
    39: '00',
    41: 'T0000001',
    42: 'M00000000000001',
    49: '364',
    ...(mti === '0210' ? {} : { 90: '0'.repeat(42) }),
  })
}

function templateOf(dialect: Dialect, mti: string, elements: Readonly<Record<number, string>>): FrameTemplate {
  const message = newMessage(mti)
  for (const [number, text] of Object.entries(elements)) message.fields[Number.parseInt(number, 10)] = text
  const frame = encodeFrame(defaultFraming, dialect.pack(message))
  const find = (text: string): number => frame.indexOf(text, 0, 'latin1')
  if (find(mark.stan) < 0)
    throw new Error(`a load cannot be made in the dialect ${dialect.format.name}: it is not text`)
  return {
    frame,
    amountAt: find(mark.amount),
    timeAt: find(mark.time),
    stanAt: find(mark.stan),
    panAt: find(mark.pan),
    originalAt: find(originalMark),
  }
}

export const writeStan = (bytes: Buffer, at: number, stan: number): void => writeDigits(bytes, at, stanDigits, stan)
export const writeAmount = (bytes: Buffer, at: number, amount: number): void =>
  writeDigits(bytes, at, amountDigits, amount)

/** DE7 (MMDDhhmmss, UTC), made once a second. */
export class TransmissionTime {
  readonly bytes: Buffer = Buffer.alloc(timeDigits)
  #second = 0

  refresh(micros: number): void {
    const second = Math.floor(micros / 1_000_000)
    if (second === this.#second) return
    this.#second = second
    this.bytes.write(new Date(second * 1000).toISOString().replace(/\D/g, '').slice(4, 14), 'latin1')
  }
}
