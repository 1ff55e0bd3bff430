import { Type } from 'typebox'
import { Id } from '../../schemas/common.ts'
import { Transaction } from '../../schemas/transactions.ts'
import { ListOf, OrNull } from './common.ts'

export const FoundTransaction = Type.Object({
  ...Transaction.properties,
  cardholder: OrNull(Id('Id of the holder; null where the card is not known.', '42')),
  cardLast4: OrNull(Type.String({ description: 'The last digits of the card.', examples: ['0019'] })),
  message: Type.String({ description: 'The reason in words.', examples: ['Approved.'] }),
})
export const FoundTransactions = ListOf(FoundTransaction)
