import { type Static, Type } from 'typebox'
import {
  Amount,
  Basket,
  Id,
  MerchantCode,
  must,
  Pan,
  PositiveAmount,
  TerminalCode,
  Time,
  Token,
} from '../../schemas/common.ts'
import { LimitUseBody } from './accounts.ts'
import { AmountOrZero, Code, closed, OrNull } from './common.ts'

const SimulatedCard = Type.Object(
  {
    pan: Type.Optional(Pan()),
    token: Type.Optional(Token('The token of the card.')),
    id: Type.Optional(Id('Id of the card.', '42')),
  },
  {
    ...closed,
    minProperties: 1,
    maxProperties: 1,
    description: 'The number, token or id of the card.',
    ...must('must be an object with one of pan, token and id'),
  },
)

export const SimulateBody = Type.Object(
  {
    card: SimulatedCard,
    merchant: MerchantCode(),
    terminal: Type.Optional(TerminalCode('Left out: any terminal of the merchant.')),
    amount: PositiveAmount('What the purchase would cost.'),
    currency: Type.Optional(Type.String({ description: "Left out: the tenant's own.", examples: ['IRR'] })),
    eligibleAmount: Type.Optional(AmountOrZero('How much of it welfare credit may pay for. Left out: all.')),
    basket: Type.Optional(Basket()),
    partial: Type.Optional(Type.Boolean({ description: 'Whether a part of the amount would do. Left out: no.' })),
    at: Type.Optional(Time('When. What is on the card is as it is now. Left out: now.')),
  },
  closed,
)
export type SimulateBody = Static<typeof SimulateBody>

const reasonText = (description: string) => Type.String({ description, examples: ['amount_limit'] })

export const SimulationBody = Type.Object({
  decision: Type.Unsafe<'approved' | 'approved_partially' | 'refused'>({
    type: 'string',
    enum: ['approved', 'approved_partially', 'refused'],
    description: 'What it would come to.',
    examples: ['approved'],
  }),
  reason: reasonText('The rule that decides it.'),
  responseCode: Type.String({ description: 'The same as ISO 8583 DE39.', examples: ['00'] }),
  message: Type.String({ description: 'What the cashier would read.', examples: ['Approved.'] }),
  amount: Amount('What would be approved.'),
  at: Time('The moment for which it was decided.'),
  legs: Type.Array(
    Type.Object({
      program: Code('Code of the program.', 'welfare'),
      lot: Id('Id of the load.', '17'),
      funder: Code('Code of who has loaded it.', 'snapp'),
      amount: Amount('What would be taken.'),
    }),
    { description: 'Which money would be taken, in the order of spending.' },
  ),
  lines: Type.Array(
    Type.Object({
      program: Code('Code of the program.', 'welfare'),
      lot: Id('Id of the load.', '17'),
      funder: Code('Code of who has loaded it.', 'snapp'),
      available: Amount('What is on it and not held.'),
      taken: Amount('What would be taken if the purchase were put together from all that may pay.'),
      because: OrNull(reasonText('The rule why it is no more; null: there is no need for more.')),
      limits: Type.Array(LimitUseBody, { description: 'What its limits have counted.' }),
    }),
    { description: 'Every load of the holder, in the order of spending.' },
  ),
})
