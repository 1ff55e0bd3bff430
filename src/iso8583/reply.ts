import { type Message, newMessage } from '../codec/message.ts'
import { businessDateOf, dateOfDay } from '../core/calendar.ts'
import type { Tenant } from '../core/catalog.ts'
import { differingField } from '../core/content.ts'
import { approvalCodeOf, type Day, rrnOf, transactionIdOf } from '../core/ids.ts'
import { isApproval, type Reason, reasons } from '../core/reasons.ts'
import type { Decision, Transaction } from '../core/transactions.ts'
import type { Result } from '../engine/result.ts'
import { balanceEntries, n12, requestedEntry } from './amounts.ts'
import type { TerminalCommand } from './command.ts'
import { replyMtiOf } from './mti.ts'

/** What a reply gives back as it came: DE2 where the terminal sent it, and nothing else of the card. */
const echoed = [2, 3, 4, 7, 11, 12, 13, 24, 32, 33, 37, 41, 42, 49, 70, 90] as const

/** DE54: a reply has elements beyond it only where the request has DE70 or DE90. */
const highestOfItsOwn = 54
const highestEchoed = 90

/** DE44, ans ..25. */
const reasonLengthMax = 25

/** A reply, and what it came of: for the log and the counters. */
export interface Reply {
  readonly message: Message
  readonly reason: Reason
}

/** The answer that needs no decision. `detail` tells more than the reason, and never has a value of the message. */
export function replyTo(request: Message, reason: Reason, detail: string | null = null): Reply {
  const message = newMessage(
    replyMtiOf(request.mti),
    request.fields[70] === undefined && request.fields[90] === undefined ? highestOfItsOwn : highestEchoed,
  )
  message.header = request.header
  const { fields } = message
  for (let index = 0; index < echoed.length; index++) {
    const element = echoed[index]!
    const text = request.fields[element]
    if (text !== undefined) fields[element] = text
  }
  fields[39] = reasons[reason].de39
  if (!isApproval(reason)) fields[44] = (detail ?? reason).slice(0, reasonLengthMax)
  return { message, reason }
}

export interface Asked {
  readonly request: Message
  readonly command: TerminalCommand
  /** Names of the elements of the command's content. */
  readonly elements: readonly string[]
  readonly tenant: Tenant
}

/**
 * The reply to a command. It is made of the request, the stored decision and what never changes of its transaction, so
 * that a repeat gets the same again. Null: silence, because there may be an effect; the terminal will reverse.
 */
export function replyOf(asked: Asked, result: Result): Reply | null {
  const { request, command, elements } = asked
  switch (result.kind) {
    case 'unknown':
      return null
    case 'refused':
      return replyTo(request, result.reason)
    case 'other_content':
      return replyTo(request, 'other_content', differs(differingField(command.content, result.stored, elements)))
    case 'decided':
      if (isOtherWord(command, result.decision)) return replyTo(request, 'other_content', differs('DE39'))
      return decided(asked, result.decision, result.transaction)
  }
}

const differs = (element: string): string => `${element} differs`

/**
 * A completion is the same step whether the sale was made or not, and DE39 is no part of its content: the answer to the
 * one word must not be taken for an answer to the other.
 */
const isOtherWord = ({ kind }: TerminalCommand, decision: Decision): boolean =>
  decision.content !== '' && decision.kind !== kind

function decided({ request, command, tenant }: Asked, decision: Decision, transaction: Transaction | null): Reply {
  const reply = replyTo(request, decision.reason)
  const { fields } = reply.message
  fields[15] = monthAndDay(
    transaction?.businessDate ?? businessDateOf(decision.at, tenant.timeZone, tenant.cutOverSeconds),
  )
  if (isBlank(fields[37])) fields[37] = rrn(decision, transaction)
  if (!isApproval(decision.reason)) return reply

  if (decision.transaction !== null) fields[38] = approvalCodeOf(decision.transaction)
  const currency = fields[49] ?? tenant.currency.numeric ?? tenant.currency.code
  if (decision.reason === 'approved_partially' && decision.amounts !== null) {
    fields[4] = n12(decision.amounts.authorized)
    fields[54] = requestedEntry(fields[3], currency, decision.amounts.requested)
  }
  if (command.kind === 'inquire') fields[54] = balanceEntries(fields[3], currency, decision.balances ?? [])
  return reply
}

const isBlank = (rrn: string | undefined): boolean => rrn === undefined || rrn.trim() === ''

function rrn(decision: Decision, transaction: Transaction | null): string {
  if (decision.transaction === null) return rrnOfDecision(decision)
  return transaction?.rrn ?? rrnOf(decision.transaction)
}

/** Beyond the numbers of transactions (39 bits), within the eight digits of base 36. */
const decisionsFrom = 2 ** 39
const batchSpan = 2 ** 28
const indexSpan = 2 ** 11

/** DE37 of an answer without a transaction: a number that `rrnOf` never makes, the same on a repeat. */
function rrnOfDecision({ day, batch, index }: Decision): string {
  const date = rrnOf(transactionIdOf(day, 0, 0)).slice(0, 4)
  const number = decisionsFrom + (batch % batchSpan) * indexSpan + (index % indexSpan)
  return date + number.toString(36).toUpperCase().padStart(8, '0')
}

let lastDay: Day = -1
let lastMonthAndDay = ''

/** MMDD, remembered for the one day that nearly all answers of a day have. */
function monthAndDay(day: Day): string {
  if (day !== lastDay) {
    lastDay = day
    lastMonthAndDay = dateOfDay(day).slice(5).replace('-', '')
  }
  return lastMonthAndDay
}
