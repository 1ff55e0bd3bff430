import { type Message, newMessage } from '../codec/message.ts'
import type { Micros } from '../core/ids.ts'

export const orderNames = ['purchase', 'confirm', 'reverse', 'refund', 'balance', 'echo', 'key-change'] as const
export type Order = (typeof orderNames)[number]

/** What the terminal is told to do. */
export interface TerminalOrder {
  readonly name: Order
  readonly at: Micros
  readonly pan: string
  readonly currency: string
  readonly merchant: string
  readonly terminal: string
  readonly stan: number
  readonly amount: bigint | undefined
  readonly original: { readonly mti: string; readonly stan: string; readonly sentAt: string } | undefined
  readonly rrn: string | undefined
}

const purchaseAmount = 25_000n
const mtis: Readonly<Record<Order, string>> = {
  purchase: '0200',
  confirm: '0202',
  reverse: '0400',
  refund: '0200',
  balance: '0200',
  echo: '0800',
  'key-change': '0800',
}
/** DE70. */
const networkCodes = { echo: '301', 'key-change': '101' } as const
/** DE3: what kind of transaction, and default accounts. */
const processingCodes: Readonly<Record<Exclude<Order, keyof typeof networkCodes>, string>> = {
  purchase: '000000',
  confirm: '000000',
  reverse: '000000',
  refund: '200000',
  balance: '310000',
}
const signOn = '001'

/** The message of an order. Throws where the order lacks what its message needs. */
export function requestOf(order: TerminalOrder): Message {
  const { name } = order
  const message = newMessage(mtis[name])
  const { fields } = message
  const time = new Date(order.at / 1000).toISOString()
  const twoDigits = (from: number): string => time.slice(from, from + 2)
  // DE7 is in UTC (ISO 8583:1987).
  fields[7] = [5, 8, 11, 14, 17].map(twoDigits).join('')
  fields[11] = String(order.stan).padStart(6, '0')
  fields[41] = order.terminal.padEnd(8)
  if (name === 'echo' || name === 'key-change') {
    fields[70] = networkCodes[name]
    return message
  }
  fields[3] = processingCodes[name]
  fields[42] = order.merchant.padEnd(15)
  fields[49] = order.currency
  const amount = order.amount ?? (name === 'purchase' ? purchaseAmount : undefined)
  if (amount !== undefined && name !== 'balance') fields[4] = String(amount).padStart(12, '0')
  if (name === 'purchase' || name === 'balance') {
    fields[2] = order.pan
    if (order.rrn !== undefined) fields[37] = order.rrn.padEnd(12)
    return message
  }
  if (name === 'refund' && amount === undefined) throw new Error('refund needs --amount')
  nameOriginal(fields, order)
  return message
}

/** The sign-on that a listener may want before anything else, with the STAN before that of the order. */
export function signOnOf(order: TerminalOrder): Message {
  const message = requestOf({ ...order, name: 'echo', stan: (order.stan + 999_999) % 1_000_000 })
  message.fields[70] = signOn
  return message
}

function nameOriginal(fields: Message['fields'], { name, original, rrn }: TerminalOrder): void {
  if (original === undefined && rrn === undefined) {
    throw new Error(`${name} needs --original MTI/STAN/TIME (purchase prints it) or --rrn`)
  }
  if (rrn !== undefined) fields[37] = rrn.padEnd(12)
  if (original !== undefined) {
    fields[90] = original.mti + original.stan.padStart(6, '0') + original.sentAt + '0'.repeat(22)
  }
}
