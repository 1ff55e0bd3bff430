import { type Static, Type } from 'typebox'
import { Amount, CalendarDate, Card, Id, MerchantCode, Nullable, Time } from './common.ts'

const closed = { additionalProperties: false } as const

export const BalanceRequest = Type.Object(
  {
    card: Card(),
    merchant: Type.Optional(MerchantCode('Where it is to be spent. Left out: anywhere.')),
  },
  closed,
)
export type BalanceRequest = Static<typeof BalanceRequest>

export const BalanceAnswer = Type.Object({
  items: Type.Array(
    Type.Object({
      program: Type.String({ description: 'Code of the program.', examples: ['credit'] }),
      balance: Amount('What is on it. It includes what is held, and may be negative within a credit line.'),
      held: Amount('What open holds reserve.'),
      spendable: Amount('What could be spent now, there: never the credit that has expired.'),
    }),
    { description: 'One line for each program of the holder.' },
  ),
  currency: Type.String({ description: 'Code of the currency.', examples: ['IRR'] }),
  at: Time('The moment for which this is true.'),
})

export const SettlementRequestBody = Type.Object(
  {
    merchant: Type.Optional(MerchantCode('Left out: every merchant that the API key speaks for.')),
    businessDate: Type.Optional(CalendarDate('The accounting day to book it under. Left out: the present one.')),
  },
  closed,
)
export type SettlementRequestBody = Static<typeof SettlementRequestBody>

const Sum = (description: string) =>
  Type.Object({ count: Type.Integer(), amount: Amount('In minor units.') }, { description })

export const Settlement = Type.Object(
  {
    id: Id('Id of the settlement.', '42'),
    number: Type.Integer({ description: 'Counts the settlements of the merchant, from 1.', examples: [1] }),
    merchant: Type.String({ description: 'Code of the merchant.', examples: ['M00000000000001'] }),
    businessDate: CalendarDate('The accounting day.'),
    closedAt: Time('When it was closed.'),
    postedAt: Nullable(Time('When its lines and totals were there; null while they are being made.')),
    purchases: Sum('What was bought.'),
    refunds: Sum('What was refunded.'),
    net: Amount('Purchases less refunds: what the merchant is owed, negative if it owes.'),
    fee: Amount('What the merchant pays for it, taken off the net when it is paid out.'),
    currency: Type.String({ description: 'Code of the currency.', examples: ['IRR'] }),
  },
  { $id: 'Settlement', description: 'Everything of one merchant that was confirmed and in no settlement before.' },
)

export const SettlementList = Type.Object({ items: Type.Array(Type.Ref('Settlement#')) })

/** Problem details (RFC 9457) with what a till needs. */
export const Problem = Type.Object(
  {
    type: Type.String({
      description: 'Names the kind of problem.',
      examples: ['urn:charsu:reason:insufficient_funds'],
    }),
    title: Type.String({ examples: ['Insufficient funds'] }),
    status: Type.Integer({ description: 'The HTTP status.', examples: [402] }),
    detail: Type.String({ examples: ['There is not enough credit.'] }),
    reason: Type.String({ description: 'The reason, for programs.', examples: ['insufficient_funds'] }),
    responseCode: Type.String({ description: 'The same as ISO 8583 DE39.', examples: ['51'] }),
    message: Type.String({ description: 'A sentence for the cashier.', examples: ['There is not enough credit.'] }),
    messageFa: Type.String({ description: 'The same in Persian.', examples: ['موجودی کافی نیست.'] }),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          field: Type.String({ description: 'JSON pointer, or name of a parameter or header.', examples: ['/amount'] }),
          message: Type.String({ examples: ['must be a positive integer'] }),
        }),
        { description: 'Which fields are at fault, and what they must be.' },
      ),
    ),
    transactionId: Type.Optional(Id('Of a stored refusal: the transaction it is about.')),
    rrn: Type.Optional(Type.String({ description: 'Its retrieval reference number.', examples: ['6325000000A7'] })),
    transaction: Type.Optional(Type.Ref('Transaction#')),
  },
  { $id: 'Problem', description: 'Why a request was not done (RFC 9457).' },
)
