import type { KeyObject } from 'node:crypto'
import type { Authorize, BasketLine, CardToken, Confirm, Key, Original, Refund, Reverse } from '../core/commands.ts'
import { formatTransactionId, type TransactionId } from '../core/ids.ts'
import { panToken } from '../crypto/hash.ts'
import { voucherToken } from '../crypto/voucher-codes.ts'
import type { ApiKey } from './api-keys.ts'
import { contentNames, fingerprintOf, keyOf } from './idempotency.ts'
import type {
  AuthorizeRequest,
  ConfirmRequest,
  RefundRequest,
  ReversalRequest,
  ReverseRequest,
} from './schemas/transactions.ts'

/** Who asks, and under which key. */
export interface Asker {
  readonly apiKey: ApiKey
  readonly key: Key
}

/** For each call the fields of its content, in an order that never changes: stored fingerprints depend on it. */
export const names = {
  authorize: contentNames(
    '/card',
    '/amount',
    '/currency',
    '/merchant',
    '/terminal',
    '/kind',
    '/capture',
    '/partial',
    '/eligibleAmount',
    '/confirmWithin',
    '/reference',
    '/basket',
  ),
  confirm: contentNames('/amount'),
  reverse: contentNames('/amount', '/reason'),
  refund: contentNames('/amount', '/terminal'),
  reversal: contentNames('/original/idempotencyKey', '/original/merchant', '/original/reference', '/reason'),
} as const

const textOf = (value: number | boolean | undefined): string | null => (value === undefined ? null : String(value))
const amountOf = (amount: number | undefined): bigint | null => (amount === undefined ? null : BigInt(amount))

/** A card as a request names it: by its number, by its token, or, of a voucher, by its code. */
interface NamedCard {
  readonly pan?: string
  readonly token?: string
  readonly code?: string
}

/** The token that the switch knows a card by, whichever way it was named. */
export function tokenOf({ pan, token = '', code }: NamedCard, panKey: KeyObject): CardToken {
  if (pan !== undefined) return panToken(pan, panKey)
  return code === undefined ? token.toLowerCase() : voucherToken(code, panKey)
}

/** Null: nothing is said of what is bought. */
export const basketOf = (basket: AuthorizeRequest['basket']): BasketLine[] | null =>
  basket?.map(({ goods, amount }) => ({ goods, amount: BigInt(amount) })) ?? null

const requestOf = ({ apiKey, key }: Asker) => ({ tenant: apiKey.tenant, channel: 'api', key, day: null }) as const

export function authorizeOf(body: AuthorizeRequest, card: CardToken, asker: Asker): Authorize {
  const purpose = body.kind ?? 'purchase'
  const capture = body.capture ?? false
  const partial = body.partial ?? false
  const basket = basketOf(body.basket)
  const fields = [
    'POST /v1/transactions',
    card,
    textOf(body.amount),
    body.currency,
    body.merchant,
    body.terminal,
    purpose,
    textOf(capture),
    textOf(partial),
    textOf(body.eligibleAmount),
    textOf(body.confirmWithin),
    body.reference ?? null,
    basket === null ? null : basket.map(({ goods, amount }) => `${goods.length}:${goods}${amount}`).join(';'),
  ]
  return {
    kind: 'authorize',
    ...requestOf(asker),
    content: fingerprintOf(...fields),
    merchant: body.merchant,
    terminal: body.terminal,
    card,
    currency: body.currency,
    amount: BigInt(body.amount),
    purpose,
    capture,
    partial,
    eligibleAmount: amountOf(body.eligibleAmount),
    basket,
    confirmWithinSeconds: body.confirmWithin ?? null,
    reference: body.reference ?? null,
    rrn: null,
    stan: null,
  }
}

const followUpOf = (original: Original, { apiKey }: Asker) => ({
  original,
  merchants: apiKey.merchants,
  card: null,
  currency: null,
})
const pathOf = (id: TransactionId, step: string): string => `POST /v1/transactions/${formatTransactionId(id)}/${step}`

export function confirmOf(id: TransactionId, body: ConfirmRequest, asker: Asker): Confirm {
  const fields = [pathOf(id, 'confirm'), textOf(body.amount)]
  return {
    kind: 'confirm',
    ...requestOf(asker),
    content: fingerprintOf(...fields),
    ...followUpOf({ by: 'id', id }, asker),
    amount: amountOf(body.amount),
  }
}

export function reverseOf(id: TransactionId, body: ReverseRequest, asker: Asker): Reverse {
  const fields = [pathOf(id, 'reverse'), textOf(body.amount), body.reason ?? null]
  return {
    kind: 'reverse',
    ...requestOf(asker),
    content: fingerprintOf(...fields),
    ...followUpOf({ by: 'id', id }, asker),
    extent: body.amount === undefined ? { by: 'all' } : { by: 'off', amount: BigInt(body.amount) },
    originalAmount: null,
  }
}

export function refundOf(id: TransactionId, body: RefundRequest, asker: Asker): Refund {
  const fields = [pathOf(id, 'refund'), textOf(body.amount), body.terminal ?? null]
  return {
    kind: 'refund',
    ...requestOf(asker),
    content: fingerprintOf(...fields),
    ...followUpOf({ by: 'id', id }, asker),
    amount: amountOf(body.amount),
    terminal: body.terminal ?? null,
    rrn: null,
    stan: null,
  }
}

/** Null if the original is named in both ways or in none. */
export function reversalOf(body: ReversalRequest, asker: Asker): Reverse | null {
  const original = originalOf(body.original, asker.apiKey)
  if (original === null) return null
  const { idempotencyKey, merchant, reference } = body.original
  const fields = [
    'POST /v1/reversals',
    idempotencyKey ?? null,
    merchant ?? null,
    reference ?? null,
    body.reason ?? null,
  ]
  return {
    kind: 'reverse',
    ...requestOf(asker),
    content: fingerprintOf(...fields),
    ...followUpOf(original, asker),
    extent: { by: 'all' },
    originalAmount: null,
  }
}

function originalOf(named: ReversalRequest['original'], apiKey: ApiKey): Original | null {
  const { idempotencyKey, merchant, reference } = named
  if (idempotencyKey !== undefined && merchant === undefined && reference === undefined) {
    return { by: 'key', key: keyOf(apiKey, idempotencyKey), day: null }
  }
  if (idempotencyKey === undefined && merchant !== undefined && reference !== undefined) {
    return { by: 'reference', merchant, reference }
  }
  return null
}
