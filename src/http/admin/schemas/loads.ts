import { type Static, Type } from 'typebox'
import { Amount, CardOfHolder, Id, must, Note, PositiveAmount, Reference, Time } from '../../schemas/common.ts'
import { Code, closed, OrNull, SignedAmount } from './common.ts'

/** A holder, named in one of these ways. */
const holderNames = {
  cardholder: Type.Optional(Id('Id of the holder.', '42')),
  cardholderReference: Type.Optional(Reference('Your own number of the holder.')),
  card: Type.Optional(CardOfHolder()),
} as const

const oneHolder = { ...closed, ...must('must name the holder: cardholder, cardholderReference or card') }

const program = Code('Code of the program.', 'welfare')
const why = {
  reason: Type.Optional(Note()),
  reference: Type.Optional(Reference('Your own number of it.')),
} as const

export const LoadRequest = Type.Object(
  {
    ...holderNames,
    program,
    funder: Type.Optional(Code('Organisation that pays. Left out: that of the program.', 'snapp')),
    amount: PositiveAmount('How much is loaded.'),
    expiresAt: Type.Optional(OrNull(Time('When it expires; null: never. Left out: as the terms say.'))),
    ...why,
  },
  oneHolder,
)
export type LoadRequest = Static<typeof LoadRequest>

export const ClawbackRequest = Type.Object(
  {
    ...holderNames,
    program,
    funder: Type.Optional(Code('Only what this organisation has loaded. Left out: any.', 'snapp')),
    amount: Type.Optional(PositiveAmount('How much is taken back. Left out: all that is unspent.')),
    ...why,
  },
  oneHolder,
)
export type ClawbackRequest = Static<typeof ClawbackRequest>

const holdersMax = 10_000

export const ClawbackListRequest = Type.Object(
  {
    cardholders: Type.Array(Id('Id of a holder.', '42'), {
      minItems: 1,
      maxItems: holdersMax,
      uniqueItems: true,
      description: 'From whom everything unspent is taken back.',
      ...must(`must be a list of 1 to ${holdersMax} holders, each once`),
    }),
    program,
    funder: Type.Optional(Code('Only what this organisation has loaded. Left out: any.', 'snapp')),
    ...why,
  },
  closed,
)

export const AdjustmentRequest = Type.Object(
  {
    ...holderNames,
    lot: Id('Id of the lot that is put right.', '17'),
    amount: SignedAmount('Below zero: taken off, as far as it is not held or spent.'),
    reason: Note(),
    reference: why.reference,
  },
  oneHolder,
)
export type AdjustmentRequest = Static<typeof AdjustmentRequest>

export const TransferRequest = Type.Object(
  {
    ...holderNames,
    program,
    toCardholder: Type.Optional(Id('Id of the holder who gets it. Left out: the same.', '43')),
    toProgram: Type.Optional(Code('Program that it goes to. Left out: the same.', 'gift')),
    amount: Type.Optional(PositiveAmount('How much. Left out: all that is unspent.')),
    ...why,
  },
  oneHolder,
)
export type TransferRequest = Static<typeof TransferRequest>

const moved = {
  id: Id('Of the movement.', '52-0'),
  kind: Type.String({ description: 'load, clawback, adjust or transfer.', examples: ['load'] }),
  cardholder: Id('Id of the holder.', '42'),
} as const
const onLot = {
  lot: Id('Id of the lot.', '17'),
  program: Type.String({ description: 'Code of its program.', examples: ['welfare'] }),
  funder: Type.String({ description: 'Code of the organisation that has loaded it.', examples: ['snapp'] }),
  amount: Amount('What was put on it; below zero: taken off.'),
  balance: Amount('What is on the lot after it.'),
} as const
const told = {
  reason: OrNull(Note()),
  reference: OrNull(Reference('Your own number of it.')),
  at: Time('When it was booked.'),
} as const

/** A change of one lot. */
export const LotMoved = Type.Object({ ...moved, ...onLot, ...told })

/** A change of as many lots as it took. */
export const LotsMoved = Type.Object({
  ...moved,
  amount: Amount('How much in all.'),
  lots: Type.Array(Type.Object({ ...onLot, cardholder: moved.cardholder }), {
    description: 'What each lot had of it.',
  }),
  ...told,
})
