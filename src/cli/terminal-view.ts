import type { DialectFormat } from '../codec/dialect-format.ts'
import { maskMessage } from '../codec/mask.ts'
import type { Message } from '../codec/message.ts'
import { reasons } from '../core/reasons.ts'
import type { TerminalOrder } from './terminal-requests.ts'

interface Verdict {
  readonly isApproved: boolean
  readonly sentence: string
}

interface FollowUp {
  readonly label: string
  readonly command: string
}

/** A message as a table: number, name and value of each element, the card masked. */
export function tableOf(format: DialectFormat, message: Message): string {
  const rows = [...maskMessage(format, message)].filter(([path]) => path !== 'mti')
  const named = rows.map(([path, value]) => ({ path, value, name: nameOf(format, path) }))
  const width = Math.max(...named.map(({ name }) => name.length))
  return named.map(({ path, name, value }) => `  ${path.padStart(4)}  ${name.padEnd(width)}  ${value}`).join('\n')
}

const nameOf = (format: DialectFormat, path: string): string => format.fields.get(Number.parseInt(path, 10))?.name ?? ''

/** Whether the reply approves (DE39 00 or 10), and a sentence for the cashier. */
export function verdictOf({ fields }: Message): Verdict {
  const code = fields[39] ?? 'none'
  const isApproved = code === '00' || code === '10'
  const sentence =
    code === '00'
      ? 'Approved (00)'
      : `${isApproved ? 'Approved' : 'Refused'} (${code}): ${sentenceOf(code, fields[44])}`
  return { isApproved, sentence: [sentence, ...amountsIn(fields[54])].join('\n') }
}

/** DE44 has the reason, or its first 25 characters; DE39 alone leaves it open where several share a code. */
function sentenceOf(code: string, detail: string | undefined): string {
  const rows = Object.entries(reasons)
  const byName = detail === undefined ? undefined : rows.find(([reason]) => reason.slice(0, 25) === detail)
  const [, row] = byName ?? rows.find(([, { de39 }]) => de39 === code) ?? []
  const told = row?.en ?? 'no sentence for this code.'
  return byName === undefined && detail !== undefined ? `${told} ${detail}` : told
}

const amountNames: Readonly<Record<string, string>> = { '01': 'Balance', '02': 'Can be spent here', '57': 'Asked for' }

/** DE54: 20 characters an entry. */
function amountsIn(entries = ''): string[] {
  const lines: string[] = []
  for (const [, type, currency, sign, digits] of entries.matchAll(/\d{2}(\d{2})(\w{3})([CD])(\d{12})/g)) {
    const amount = BigInt(digits!).toLocaleString('en')
    lines.push(
      `  ${(amountNames[type!] ?? `Amount ${type}`).padEnd(18)} ${sign === 'D' ? '-' : ''}${amount} (${currency})`,
    )
  }
  return lines
}

/** The commands that may come next, to copy. Without a reply: what undoes a request whose outcome is not known. */
export function followUpsOf(
  { name }: TerminalOrder,
  { mti, fields }: Message,
  reply: Message | null,
  given: readonly string[],
): FollowUp[] {
  if (name !== 'purchase' && name !== 'confirm') return []
  const of = (command: string, amount: string | undefined): string => {
    const original = ['--original', `${mti}/${fields[11]}/${fields[7]}`]
    const amountOption = amount === undefined ? [] : ['--amount', String(BigInt(amount))]
    return ['npx charsu terminal', command, ...original, ...amountOption, ...given.map(quoted)].join(' ')
  }
  const amount = reply?.fields[4]
  const undo = { label: name === 'confirm' ? 'Undo the purchase:' : 'Undo it:', command: of('reverse', fields[4]) }
  if (reply === null) return [undo]
  if (name === 'purchase') return [{ label: 'Confirm it:', command: of('confirm', amount) }, undo]
  return amount === undefined ? [undo] : [undo, { label: 'Give it back later:', command: of('refund', amount) }]
}

const quoted = (word: string): string => (/^[\w.:-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)

interface ExchangeView {
  readonly request: Message
  readonly reply: Message
  readonly milliseconds: number
  readonly verdict: Verdict
  readonly followUps: readonly FollowUp[]
  /** Of a key change. */
  readonly keys?: readonly KeyLine[] | undefined
}

export interface KeyLine {
  readonly usage: 'mac' | 'pin'
  readonly checkValue: string
}

export const keyLineOf = ({ usage, checkValue }: KeyLine): string =>
  `  ${usage.toUpperCase()} key, check value ${checkValue}`

/** The exchange for a machine; the card is masked here too. */
export function jsonOf(
  format: DialectFormat,
  { request, reply, milliseconds, verdict, followUps, keys }: ExchangeView,
): string {
  const shown = (message: Message): Record<string, string> => Object.fromEntries(maskMessage(format, message))
  const next = followUps.map(({ command }) => command)
  return JSON.stringify({
    approved: verdict.isApproved,
    milliseconds,
    request: shown(request),
    reply: shown(reply),
    ...(keys === undefined ? {} : { keys }),
    next,
  })
}

export const failureOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
