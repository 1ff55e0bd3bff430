import type { KeyObject } from 'node:crypto'
import type { Command } from '../core/commands.ts'
import { parseTransactionId, type TransactionId } from '../core/ids.ts'
import type { AnswerStyle } from './answer.ts'
import { speaksFor } from './api-keys.ts'
import { holdsCardNumber } from './card-number.ts'
import { type Asker, authorizeOf, confirmOf, names, refundOf, reversalOf, reverseOf, tokenOf } from './commands.ts'
import type { Refusal } from './problem.ts'
import type {
  AuthorizeRequest,
  ConfirmRequest,
  RefundRequest,
  ReversalRequest,
  ReverseRequest,
} from './schemas/transactions.ts'

export const styles = {
  authorize: { status: 201, names: names.authorize, opens: true },
  confirm: { status: 200, names: names.confirm, opens: false },
  reverse: { status: 200, names: names.reverse, opens: false },
  refund: { status: 201, names: names.refund, opens: false },
  reversal: { status: 200, names: names.reversal, opens: false },
} as const satisfies Record<string, AnswerStyle>

/** What a request that fits its schema asks for, or why the engine need not hear of it. */
export type Asked = { readonly command: Command } | { readonly refusal: Refusal }

export function askedToAuthorize(body: AuthorizeRequest, asker: Asker, panKey: KeyObject): Asked {
  if (mayHoldCardNumber(body.reference)) return cardNumberIn('/reference')
  if (!speaksFor(asker.apiKey, body.merchant)) return merchantForbidden
  if (isBasketTooLarge(body)) return { refusal: basketTooLarge }
  return { command: authorizeOf(body, tokenOf(body.card, panKey), asker) }
}

export const askedToConfirm = (id: string, body: ConfirmRequest, asker: Asker): Asked =>
  followUp(id, transaction => confirmOf(transaction, body, asker))

export const askedToReverse = (id: string, body: ReverseRequest, asker: Asker): Asked =>
  followUp(id, transaction => reverseOf(transaction, body, asker))

export const askedToRefund = (id: string, body: RefundRequest, asker: Asker): Asked =>
  followUp(id, transaction => refundOf(transaction, body, asker))

/** Something that is no id names no transaction. */
function followUp(id: string, commandOf: (id: TransactionId) => Command): Asked {
  const transaction = parseTransactionId(id)
  return transaction === null ? { refusal: { reason: 'original_unknown' } } : { command: commandOf(transaction) }
}

/** A reversal of what the caller knows by its own names only. */
export function askedToReverseUnseen(body: ReversalRequest, asker: Asker): Asked {
  const { merchant, reference } = body.original
  if (mayHoldCardNumber(reference)) return cardNumberIn('/original/reference')
  const command = reversalOf(body, asker)
  if (command === null) return originalUnclear
  // It would be remembered against bills that the caller has nothing to do with.
  if (merchant !== undefined && !speaksFor(asker.apiKey, merchant)) return merchantForbidden
  return { command }
}

export const isBasketTooLarge = ({ amount, basket }: Pick<AuthorizeRequest, 'amount' | 'basket'>): boolean =>
  basket !== undefined && basket.reduce((sum, line) => sum + BigInt(line.amount), 0n) > BigInt(amount)

export const basketTooLarge = {
  reason: 'format_invalid',
  errors: [{ field: '/basket', message: 'must not be more than the amount' }],
} as const

const merchantForbidden: Asked = {
  refusal: { reason: 'forbidden', detail: 'The API key does not speak for this merchant.' },
}

const originalUnclear: Asked = {
  refusal: {
    reason: 'format_invalid',
    errors: [{ field: '/original', message: 'must have either idempotencyKey, or merchant and reference' }],
  },
}

/** References are stored in clear, so no card number may be among them. */
const mayHoldCardNumber = (text: string | undefined): boolean => text !== undefined && holdsCardNumber(text)

const cardNumberIn = (field: string): Asked => ({
  refusal: { reason: 'format_invalid', errors: [{ field, message: 'must not look like a card number' }] },
})
