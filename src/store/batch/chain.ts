import { phaseCodes } from '../../core/phases.ts'
import { reasons } from '../../core/reasons.ts'
import type { Decision } from '../../core/transactions.ts'
import { TextBytes } from '../../ops/text-bytes.ts'
import { commandCodeOf } from './codes.ts'
import { balancesLiteral } from './columns.ts'

/** The hash chain over the decisions of each lane's run: whoever changes one has to change all links after it. */

/** The batch's link in the hash chain of its lane's run. */
export interface ChainLink {
  readonly run: string
  readonly position: number
  /** Hexadecimal SHA-256 of the link before and of the decisions, see `chainBytes`. */
  readonly hash: string
}

const text = new TextBytes()

/**
 * What a link covers: the link before it, the batch, and every column of its decisions, in the order of their index.
 * The bytes are good until the next call.
 */
export function chainBytes(previous: string, batch: number, at: number, decisions: readonly Decision[]): Uint8Array {
  text.begin()
  text.ascii(`${previous}|${batch}|${at}`)
  for (const one of decisions) line(one)
  return text.bytes.subarray(0, text.length)
}

function line({ key, day, content, kind, reason, transaction, phase, amounts, postings, balances }: Decision): void {
  text.ascii('\n')
  text.ascii(key)
  text.ascii('|')
  text.integer(day)
  text.ascii('|')
  text.ascii(content)
  text.ascii('|')
  text.integer(commandCodeOf(kind))
  text.ascii('|')
  text.integer(reasons[reason].code)
  text.ascii('|')
  if (transaction !== null) text.integer(transaction)
  text.ascii('|')
  if (phase !== null) text.integer(phaseCodes[phase])
  text.ascii('|')
  if (amounts !== null) text.bigint(amounts.requested)
  unlessZero(amounts?.authorized)
  unlessZero(amounts?.confirmed)
  unlessZero(amounts?.reversed)
  unlessZero(amounts?.refunded)
  text.ascii('|')
  for (let index = 0; index < postings.length; index++) {
    const posting = postings[index] as (typeof postings)[number]
    text.ascii(index === 0 ? '{' : ',')
    text.integer(posting.debit)
    text.ascii(',')
    text.integer(posting.credit)
    text.ascii(',')
    text.bigint(posting.pending)
    text.ascii(',')
    text.bigint(posting.posted)
    text.ascii(',')
    text.bigint(posting.remaining)
  }
  if (postings.length > 0) text.ascii('}')
  text.ascii('|')
  if (balances !== null) text.utf8(balancesLiteral(balances) ?? '')
}

/** As it is stored: nothing for nothing. */
function unlessZero(amount: bigint | undefined): void {
  text.ascii('|')
  if (amount !== undefined && amount !== 0n) text.bigint(amount)
}

/** The line of one decision in those bytes, made by the database from what it has stored. */
export const chainLineSql = (d: string): string => `
  E'\\n' || replace(${d}.key::text, '-', '') || '|' || ${d}.day || '|' || encode(${d}.content, 'hex')
    || '|' || ${d}.kind || '|' || ${d}.reason || '|' || coalesce(${d}.txn::text, '')
    || '|' || coalesce(${d}.phase::text, '') || '|' || coalesce(${d}.requested::text, '')
    || '|' || coalesce(${d}.authorized::text, '') || '|' || coalesce(${d}.confirmed::text, '')
    || '|' || coalesce(${d}.reversed::text, '') || '|' || coalesce(${d}.refunded::text, '')
    || '|' || coalesce(${d}.legs::text, '') || '|' || coalesce(${d}.balances::text, '')`
