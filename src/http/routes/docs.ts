import type { Reason } from '../../core/reasons.ts'
import { TransactionRef } from '../schemas/transactions.ts'

/** What calls are about, in the order of the description. */
export const tags = {
  Transactions: 'A purchase and its life: authorized, confirmed, settled.',
  Balances: 'What is on a card.',
  Settlements: 'What a merchant is owed, closed and counted.',
  Tenant: 'Admin: the business itself, with its time zone, calendar and holidays.',
  Organisations: 'Admin: who pays for loads, under which contract.',
  Merchants: 'Admin: where value is spent, and the terminals there.',
  Programs: 'Admin: kinds of credit, and the terms under which it is spent.',
  Cardholders: 'Admin: people, and what they have.',
  Cards: 'Admin: what people pay with.',
  Reports: 'Admin: statements, transactions, and what would be decided.',
  Loads: 'Admin: what moves value outside purchases.',
  'Load files': 'Admin: loads of many at once, and every month.',
  'Gift cards': 'Admin: cards that are sold with a value on them.',
  Vouchers: 'Admin: series of codes that are worth something for a time.',
  Approvals: 'Admin: what waits for a second person.',
  'API keys': 'Admin: who may call, and for what.',
  'Audit log': 'Admin: who changed what.',
} as const satisfies Record<string, string>
type Tag = keyof typeof tags

/** What the API's description says of a call beside its schemas. */
export interface RouteDocs {
  readonly operationId: string
  readonly tag: Tag
  readonly summary: string
  readonly description: string
  /** What its success statuses mean. */
  readonly success: Readonly<Record<number, string>>
  /** Why it may be refused, beside what every call may be refused for. */
  readonly reasons: readonly Reason[]
  /** Whether it takes an Idempotency-Key. */
  readonly keyed: boolean
  /** Whether its body may be left out. */
  readonly bodyOptional?: boolean
  readonly query?: 'list'
  /** Parameters that are in no schema, as OpenAPI has them. */
  readonly parameters?: readonly object[]
  /** The media type of a success, where it is not JSON. */
  readonly mediaType?: string
  /** The media types of its body, where that is a file and no JSON. */
  readonly fileTypes?: readonly string[]
}

declare module 'fastify' {
  interface FastifyContextConfig {
    readonly docs?: RouteDocs
  }
}

export const transactionSchema = <Status extends number>(status: Status) =>
  ({ [status]: TransactionRef }) as Record<Status, typeof TransactionRef>

const docs = <Calls extends Record<string, RouteDocs>>(calls: Calls): { [Call in keyof Calls]: { docs: RouteDocs } } =>
  Object.fromEntries(Object.entries(calls).map(([call, docs]) => [call, { docs }])) as {
    [Call in keyof Calls]: { docs: RouteDocs }
  }

const ofOriginal = ['original_unknown'] as const

export const commandDocs = docs({
  authorize: {
    operationId: 'authorize',
    tag: 'Transactions',
    summary: 'Authorize a purchase',
    description:
      'Reserves the amount on the card. No money has moved: confirm it to take it, reverse it to give it back. With ' +
      '`capture` it is confirmed in the same decision.',
    success: { 201: 'Approved. The transaction is authorized, or confirmed with `capture`.' },
    reasons: [
      'merchant_unknown',
      'terminal_unknown',
      'terminal_not_of_merchant',
      'currency_unsupported',
      'card_unknown',
      'card_blocked',
      'card_expired',
      'program_not_allowed',
      'insufficient_funds',
      'insufficient_funds_held',
      'reversed_before',
    ],
    keyed: true,
  },
  confirm: {
    operationId: 'confirm',
    tag: 'Transactions',
    summary: 'Confirm an authorized transaction',
    description: 'Takes the held amount, or a part of it: the rest is released. There is one confirm for a hold.',
    success: { 200: 'Confirmed.' },
    reasons: [...ofOriginal, 'amount_beyond', 'not_confirmable', 'confirm_too_late'],
    keyed: true,
    bodyOptional: true,
  },
  reverse: {
    operationId: 'reverse',
    tag: 'Transactions',
    summary: 'Reverse a transaction',
    description:
      'Undoes a transaction before its settlement, wholly or in part. A part leaves the phase as it is; `reversed` ' +
      'means that nothing remains.',
    success: { 200: 'Reversed.' },
    reasons: [...ofOriginal, 'amount_beyond', 'not_reversible', 'insufficient_funds'],
    keyed: true,
    bodyOptional: true,
  },
  refund: {
    operationId: 'refund',
    tag: 'Transactions',
    summary: 'Refund a confirmed or settled transaction',
    description: 'Gives money back to where it came from, as a transaction of its own that names the original.',
    success: { 201: 'Refunded. The answer is the refund transaction.' },
    reasons: [...ofOriginal, 'terminal_unknown', 'terminal_not_of_merchant', 'amount_beyond', 'not_refundable'],
    keyed: true,
    bodyOptional: true,
  },
  reversal: {
    operationId: 'reverseOriginal',
    tag: 'Transactions',
    summary: 'Reverse a request whose answer never came',
    description:
      'For a till that has no id, because it never got the answer. The original is named by its Idempotency-Key, or ' +
      'by merchant and bill. If it has not been seen, that is remembered, and it will be refused when it comes.',
    success: { 200: 'Reversed, or remembered: then `id` is null.' },
    reasons: [...ofOriginal, 'original_ambiguous', 'not_reversible'],
    keyed: true,
  },
})

export const readDocs = docs({
  transaction: {
    operationId: 'getTransaction',
    tag: 'Transactions',
    summary: 'Read a transaction',
    description: 'The transaction as it stands now.',
    success: { 200: 'The transaction.' },
    reasons: ['not_found'],
    keyed: false,
  },
  transactions: {
    operationId: 'listTransactions',
    tag: 'Transactions',
    summary: 'List transactions',
    description:
      'Newest first. A page may be short, even empty, and still have a `nextCursor`: one call looks through 31 days ' +
      'at the most.',
    success: { 200: 'A page of transactions.' },
    reasons: [],
    keyed: false,
    query: 'list',
  },
  balances: {
    operationId: 'inquireBalance',
    tag: 'Balances',
    summary: 'Ask for the balance of a card',
    description:
      'What is on the card, and what could be spent now. It changes nothing, so it takes no Idempotency-Key.',
    success: { 200: 'The balances, one for each program.' },
    reasons: ['merchant_unknown', 'merchant_suspended', 'card_unknown', 'card_blocked', 'card_expired'],
    keyed: false,
  },
})

export const settlementDocs = docs({
  close: {
    operationId: 'closeSettlements',
    tag: 'Settlements',
    summary: 'Close settlements',
    description:
      'Puts everything that is confirmed and in no settlement into one, for each merchant. A repeat finds nothing to ' +
      'close, or the same answer while this process still remembers it.',
    success: {
      201: 'One settlement for each merchant that had something to settle.',
      200: 'There was nothing to settle.',
    },
    reasons: ['merchant_unknown'],
    keyed: true,
    bodyOptional: true,
  },
  one: {
    operationId: 'getSettlement',
    tag: 'Settlements',
    summary: 'Read a settlement',
    description: 'Its number, totals and the net position of its merchant.',
    success: { 200: 'The settlement.' },
    reasons: ['not_found'],
    keyed: false,
  },
  lines: {
    operationId: 'getSettlementLines',
    tag: 'Settlements',
    summary: 'Read the lines of a settlement',
    description: 'One line for each transaction. What went back is negative, so that the amounts add up to the net.',
    success: { 200: 'CSV (RFC 4180) with a header line.' },
    reasons: ['not_found', 'in_progress'],
    keyed: false,
    mediaType: 'text/csv',
  },
})
