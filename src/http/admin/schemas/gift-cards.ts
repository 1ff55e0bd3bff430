import { type Static, Type } from 'typebox'
import { cardStatuses } from '../../../core/cards.ts'
import { giftCardsMax } from '../../../core/gift-cards.ts'
import { Amount, Id, must, Note, PositiveAmount, Reference, Time } from '../../schemas/common.ts'
import { Choice, Code, closed, OrNull, SignedAmount } from './common.ts'

const program = Code('A gift program, with a range of card numbers.', 'gift')
const expiresAt = OrNull(Time('When the cards expire; null: never.'))

export const NewGiftCardsBody = Type.Object(
  {
    program,
    count: Type.Integer({
      minimum: 1,
      maximum: giftCardsMax,
      description: 'How many.',
      examples: [100],
      ...must(`must be an integer from 1 to ${giftCardsMax}`),
    }),
    expiresAt: Type.Optional(expiresAt),
  },
  closed,
)

export const GiftCardsBody = Type.Object({
  program,
  items: Type.Array(
    Type.Object({
      id: Id('Id of the card.', '42'),
      cardholder: Id('Id of its account: it has no other holder than whoever has the card.', '42'),
      last4: Type.String({ description: 'The last four digits of its number.', examples: ['0019'] }),
    }),
  ),
})

export const GiftLoadBody = Type.Object(
  {
    amount: PositiveAmount('How much is loaded.'),
    funder: Type.Optional(Code('Organisation that pays. Left out: that of the program.', 'bazaar')),
    reason: Type.Optional(Note()),
    reference: Type.Optional(Reference('Your own number of the sale.')),
  },
  closed,
)
export type GiftLoadBody = Static<typeof GiftLoadBody>

export const GiftAdjustBody = Type.Object(
  { amount: SignedAmount('Below zero: taken off, as far as it is not held or spent.'), reason: Note() },
  closed,
)

export const GiftMergeBody = Type.Object(
  { into: Id('Id of the gift card that gets everything.', '43'), reason: Type.Optional(Note()) },
  closed,
)

export const GiftCardBody = Type.Object({
  id: Id('Id of the card.', '42'),
  cardholder: Id('Id of its account.', '42'),
  program,
  status: Choice(cardStatuses, '`inactive`: not sold yet; `closed`: merged into another.', 'active'),
  statusReason: OrNull(Note()),
  last4: Type.String({ description: 'The last four digits of its number.', examples: ['0019'] }),
  expiresAt,
  balance: Amount('What is on it, with what is held.'),
  held: Amount('What open holds reserve.'),
})

export const GiftHistory = Type.Object({
  items: Type.Array(
    Type.Object({
      at: Time('When.'),
      type: Type.String({ description: 'load, redeem, refund, block and so on.', examples: ['redeem'] }),
      amount: Amount('Below zero: taken off. Zero where no value moved.'),
      balance: Amount('What was on the card after it.'),
      reason: OrNull(Type.String({ examples: ['gift for a friend'] })),
      actor: OrNull(Type.String({ description: 'Label of the API key.', examples: ['operator'] })),
      transaction: OrNull(Id('Of a purchase.')),
    }),
    { description: 'The newest first.' },
  ),
})
