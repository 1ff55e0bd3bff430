import { type Static, Type } from 'typebox'
import { phaseCodes } from '../../core/phases.ts'
import { amountMax } from '../amounts.ts'
import {
  Amount,
  Basket,
  CalendarDate,
  Card,
  Id,
  MerchantCode,
  must,
  Note,
  Nullable,
  PositiveAmount,
  Reference,
  TerminalCode,
  Time,
} from './common.ts'

const confirmWithinSecondsMax = 31 * 86_400
const closed = { additionalProperties: false } as const

const purposes = ['purchase', 'preauthorization'] as const

export const AuthorizeRequest = Type.Object(
  {
    card: Card(),
    amount: PositiveAmount('What the purchase costs.'),
    currency: Type.String({
      minLength: 1,
      maxLength: 16,
      description: 'Code of the currency.',
      examples: ['IRR'],
      ...must('must be the code of a currency, such as IRR'),
    }),
    merchant: MerchantCode(),
    terminal: TerminalCode(),
    kind: Type.Optional(
      Type.Enum([...purposes], {
        description: 'A pre-authorization is held for 7 days instead of 15 minutes. Left out: purchase.',
        ...must(`must be one of ${purposes.join(', ')}`),
      }),
    ),
    capture: Type.Optional(
      Type.Boolean({ description: 'true: authorize and confirm in one decision. Left out: false, confirm it later.' }),
    ),
    partial: Type.Optional(
      Type.Boolean({ description: 'true: a part of the amount may be approved. Left out: all or nothing.' }),
    ),
    eligibleAmount: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: amountMax,
        description: 'How much of the amount welfare credit may pay for. Left out: all of it.',
        examples: [100000],
        ...must('must be zero or a positive integer'),
      }),
    ),
    basket: Type.Optional(Basket()),
    confirmWithin: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: confirmWithinSecondsMax,
        description: 'Seconds for which the amount is held; after that it is released by itself.',
        examples: [900],
        ...must(`must be an integer from 1 to ${confirmWithinSecondsMax}`),
      }),
    ),
    reference: Type.Optional(Reference('Your own number of the bill. It may not look like a card number.')),
  },
  closed,
)
export type AuthorizeRequest = Static<typeof AuthorizeRequest>

export const ConfirmRequest = Type.Object(
  { amount: Type.Optional(PositiveAmount('How much of the hold to take; the rest is released. Left out: all.')) },
  closed,
)
export type ConfirmRequest = Static<typeof ConfirmRequest>

export const ReverseRequest = Type.Object(
  { amount: Type.Optional(PositiveAmount('How much to take off. Left out: all.')), reason: Type.Optional(Note()) },
  closed,
)
export type ReverseRequest = Static<typeof ReverseRequest>

export const RefundRequest = Type.Object(
  {
    amount: Type.Optional(PositiveAmount('How much to give back. Left out: all that has not gone back.')),
    terminal: Type.Optional(TerminalCode('Any terminal of the merchant. Left out: that of the purchase.')),
  },
  closed,
)
export type RefundRequest = Static<typeof RefundRequest>

export const ReversalRequest = Type.Object(
  {
    original: Type.Object(
      {
        idempotencyKey: Type.Optional(
          Type.String({
            pattern: '^[\\x21-\\x7e]{1,255}$',
            description: 'The Idempotency-Key of the request that is to be undone.',
            examples: ['till-7-0001'],
            ...must('must be 1 to 255 visible ASCII characters'),
          }),
        ),
        merchant: Type.Optional(MerchantCode()),
        reference: Type.Optional(Reference('The number of the bill in the request that is to be undone.')),
      },
      {
        ...closed,
        description: 'Either idempotencyKey, or merchant and reference.',
        ...must('must be an object with either idempotencyKey, or merchant and reference'),
      },
    ),
    reason: Type.Optional(Note()),
  },
  closed,
)
export type ReversalRequest = Static<typeof ReversalRequest>

const Leg = Type.Object(
  {
    program: Type.String({ description: 'Code of the program that pays.', examples: ['credit'] }),
    lot: Id('The load that the money comes from.', '17'),
    funder: Type.String({ description: 'Code of who loaded it.', examples: ['bazaar'] }),
    account: Id('The ledger account of the lot.', '17'),
    amount: Amount('How much of it is held, or posted once confirmed.'),
  },
  { description: 'What one lot has in force.' },
)

const phases = Object.keys(phaseCodes)

/** Shared by all answers with a transaction; others refer to it by its `$id`. */
export const Transaction = Type.Object(
  {
    id: Nullable(Id('Null only for a reversal whose original has not been seen.')),
    kind: Nullable(Type.String({ description: 'purchase, preauthorization or refund.', examples: ['purchase'] })),
    phase: Type.String({ enum: phases, description: 'Where the transaction is.' }),
    amount: Type.Object(
      {
        requested: Amount('What was asked for.'),
        authorized: Amount('What was approved.'),
        confirmed: Amount('What was taken.'),
        reversed: Amount('What was undone before settlement.'),
        refunded: Amount('What was given back by refunds.'),
      },
      { description: 'In minor units of the currency.' },
    ),
    currency: Type.String({ description: 'Code of the currency.', examples: ['IRR'] }),
    approvalCode: Nullable(
      Type.String({ description: 'Approval code (ISO 8583 DE38); null unless approved.', examples: ['0000A7'] }),
    ),
    rrn: Nullable(
      Type.String({ description: 'Retrieval reference number (ISO 8583 DE37).', examples: ['6325000000A7'] }),
    ),
    reference: Nullable(Type.String({ description: 'Your own number of the bill.', examples: ['bill-1001'] })),
    merchant: Nullable(Type.String({ description: 'Code of the merchant.', examples: ['M00000000000001'] })),
    terminal: Nullable(Type.String({ description: 'Code of the terminal.', examples: ['T0000001'] })),
    original: Nullable(Id('For a refund: the purchase that it refunds.')),
    businessDate: Nullable(CalendarDate('The accounting day.')),
    createdAt: Nullable(Time('When it was authorized or refused.')),
    expiresAt: Nullable(Time('When the hold runs out; null for what never was a hold.')),
    legs: Type.Array(Leg, { description: 'Which money is held or posted, by lot.' }),
    reason: Nullable(
      Type.String({ description: 'approved or approved_partially; null for a refused one.', examples: ['approved'] }),
    ),
  },
  { $id: 'Transaction', description: 'One purchase or refund and its life.' },
)

export const TransactionRef = Type.Ref('Transaction#')

export const TransactionList = Type.Object({
  items: Type.Array(TransactionRef),
  nextCursor: Nullable(
    Type.String({
      description: 'Give it as cursor to read on; null at the end.',
      examples: ['MTM4MzczNTM4MzU1NjIyNA'],
    }),
  ),
})
