import { type TSchema, Type } from 'typebox'
import { amountMax } from '../amounts.ts'
import { mustKeyword } from '../field-errors.ts'

/** What a field must be, in plain words: the message of its errors. */
export const must = (words: string): Record<string, string> => ({ [mustKeyword]: words })

export const Nullable = (schema: TSchema & { readonly type: string }) =>
  Type.Unsafe<unknown>({ ...schema, type: [schema.type, 'null'] })

/** An amount in a request. */
export const PositiveAmount = (description: string) =>
  Type.Integer({
    minimum: 1,
    maximum: amountMax,
    description: `${description} In minor units of the currency: for IRR, 1 is one rial.`,
    examples: [250000],
    ...must('must be a positive integer'),
  })

/** An amount in an answer. */
export const Amount = (description: string) => Type.Integer({ description, examples: [250000] })

/** `example`: ids of transactions are longer than the others. */
export const Id = (description: string, example = 'dmbf3k2x8g') => Type.String({ description, examples: [example] })

export const Time = (description: string) =>
  Type.String({
    format: 'date-time',
    description,
    examples: ['2026-11-21T08:30:00.123456Z'],
    ...must('must be an RFC 3339 time such as 2026-11-21T08:30:00Z'),
  })

export const CalendarDate = (description: string) =>
  Type.String({
    pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$',
    description,
    examples: ['2026-11-21'],
    ...must('must be a date such as 2026-11-21'),
  })

export const MerchantCode = (description = 'Code of the merchant (card acceptor, ISO 8583 DE42).') =>
  Type.String({
    pattern: '^[\\x21-\\x7e]{1,15}$',
    description,
    examples: ['M00000000000001'],
    ...must('must be 1 to 15 visible ASCII characters'),
  })

export const TerminalCode = (description = 'Code of the terminal (ISO 8583 DE41). It must belong to the merchant.') =>
  Type.String({
    pattern: '^[\\x21-\\x7e]{1,8}$',
    description,
    examples: ['T0000001'],
    ...must('must be 1 to 8 visible ASCII characters'),
  })

export const referenceLengthMax = 64

/** No control characters and no halves of a character; joiners, which Persian needs, are welcome. */
export const Reference = (description: string) =>
  Type.String({
    pattern: `^[^\\p{Cc}\\p{Cs}]{1,${referenceLengthMax}}$`,
    description,
    examples: ['bill-1001'],
    ...must(`must be 1 to ${referenceLengthMax} characters without control characters`),
  })

export const Note = () =>
  Type.String({
    pattern: '^[^\\p{Cc}\\p{Cs}]{1,100}$',
    description: 'Why, in words of your own.',
    examples: ['customer changed their mind'],
    ...must('must be 1 to 100 characters without control characters'),
  })

export const Pan = () =>
  Type.String({
    pattern: '^[0-9]{12,19}$',
    description: 'The card number. It is turned into a token at once and is nowhere stored or logged.',
    examples: ['9364000000000019'],
    ...must('must be 12 to 19 digits'),
  })

export const Token = (description: string) =>
  Type.String({
    pattern: '^[0-9a-fA-F]{32}$',
    description,
    examples: ['0f6c3c5b8a8e4f0b9d2a7c1e5b3f4a60'],
    ...must('must be 32 hexadecimal digits'),
  })

export const Card = () =>
  Type.Object(
    {
      pan: Type.Optional(Pan()),
      token: Type.Optional(Token('The token of the card, instead of its number.')),
      code: Type.Optional(
        Type.String({
          pattern: '^[0-9A-Za-z -]{16,24}$',
          description: 'The code of a voucher, however it is typed. Guessing is slowed down.',
          examples: ['7K3M-9QXV-2B4D-HNTC'],
          ...must('must be 16 letters and digits'),
        }),
      ),
    },
    {
      additionalProperties: false,
      minProperties: 1,
      maxProperties: 1,
      description: 'Either the number or the token of the card, or the code of a voucher.',
      ...must('must be an object with either pan, token or code'),
    },
  )

/** The number or token of a card: where a code would be a way to guess those of vouchers. */
export const CardOfHolder = () => {
  const { pan, token } = Card().properties
  return Type.Object(
    { pan, token },
    {
      additionalProperties: false,
      minProperties: 1,
      maxProperties: 1,
      description: 'Either the number or the token of the card.',
      ...must('must be an object with either pan or token'),
    },
  )
}

export const IdParams = Type.Object({ id: Id('Id of the transaction.') })

const basketLinesMax = 100

export const Basket = () =>
  Type.Array(
    Type.Object(
      {
        goods: Type.String({
          pattern: '^[^\\p{Cc}\\p{Cs}]{1,64}$',
          description: 'The kind of goods, by the code that the terms of programs use.',
          examples: ['groceries'],
          ...must('must be 1 to 64 characters without control characters'),
        }),
        amount: PositiveAmount('What is to be paid for them.'),
      },
      { additionalProperties: false },
    ),
    {
      maxItems: basketLinesMax,
      description:
        'What is bought, for programs that pay only for some goods. What is not listed is eligible for none of them.',
      ...must(`must be at most ${basketLinesMax} lines of goods and amount`),
    },
  )
