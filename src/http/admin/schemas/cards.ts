import { type Static, Type } from 'typebox'
import { cardKinds, cardStatuses } from '../../../core/cards.ts'
import { Id, must, Note, Reference, Time } from '../../schemas/common.ts'
import { Choice, Code, closed, ListOf, Name, OrNull, Version } from './common.ts'

const Mobile = () =>
  Type.String({
    minLength: 1,
    maxLength: 40,
    description: 'A mobile number of Iran, however it is written. It is kept as +989….',
    examples: ['09121234567'],
    ...must('must be a mobile number of Iran'),
  })

const NationalCode = () =>
  Type.String({
    minLength: 1,
    maxLength: 40,
    description: 'The national code, ten digits. Only a keyed hash and its last four digits are kept.',
    examples: ['0012345679'],
    ...must('must be a national code of Iran'),
  })

const holder = {
  reference: OrNull(Reference('Your own number of the person: no other has it.')),
  name: OrNull(Name('Name of the person.', 'Sara Ahmadi')),
  mobile: OrNull(Mobile()),
  nationalCode: OrNull(NationalCode()),
} as const

export const CardholderBody = Type.Object({
  id: Id('Id of the holder.', '42'),
  reference: holder.reference,
  name: holder.name,
  mobile: holder.mobile,
  nationalCodeLast4: OrNull(Type.String({ description: 'The last four digits of the national code.' })),
  createdAt: OrNull(Time('When the holder was set up; null: it came with a card, and nobody has said anything of it.')),
  version: Version(),
})
export const CardholderList = ListOf(CardholderBody)

export const NewCardholderBody = Type.Partial(Type.Object(holder), closed)
export type NewCardholderBody = Static<typeof NewCardholderBody>

export const CardholderSearch = Type.Object(
  {
    reference: Type.Optional(Reference('Your own number of the person.')),
    mobile: Type.Optional(Mobile()),
    nationalCode: Type.Optional(NationalCode()),
  },
  { ...closed, minProperties: 1, ...must('must have reference, mobile or nationalCode') },
)

const CardStatus = Choice(
  cardStatuses,
  '`inactive`: not activated yet. One that is `replaced` or `closed` stays so.',
  'active',
)
const ExpiresAt = Time('When it expires; null: never.')

export const CardBody = Type.Object({
  id: Id('Id of the card.', '42'),
  cardholder: Id('Id of its holder.', '42'),
  kind: Choice(cardKinds, '`voucher`: the code of a voucher.', 'virtual'),
  status: CardStatus,
  statusReason: OrNull(Note()),
  last4: Type.String({ description: 'The last four digits of its number.', examples: ['0019'] }),
  token: Type.String({ description: 'Names the card in the calls of a POS, instead of its number.' }),
  program: OrNull(Code('The program whose range its number is from.', 'credit')),
  expiresAt: OrNull(ExpiresAt),
  issuedAt: Time('When it was issued.'),
  replacedBy: OrNull(Id('Id of the card that took its place.', '43')),
  pinTries: Type.Integer({ description: 'Wrong PINs in a row.', examples: [0] }),
  version: Version(),
})
export const CardList = ListOf(CardBody)

const issued = {
  program: Code('The program from whose range the number is taken.', 'credit'),
  kind: Choice(
    ['physical', 'virtual'],
    'A physical card is inactive until it is activated, a virtual one active at once.',
    'virtual',
  ),
  expiresAt: OrNull(ExpiresAt),
} as const

export const NewCardBody = Type.Object(
  {
    cardholder: Id('Id of the holder.', '42'),
    program: issued.program,
    kind: issued.kind,
    expiresAt: Type.Optional(issued.expiresAt),
  },
  closed,
)

export const ReplacementBody = Type.Object(
  {
    program: Type.Optional(issued.program),
    kind: Type.Optional(issued.kind),
    expiresAt: Type.Optional(issued.expiresAt),
    reason: Type.Optional(Note()),
  },
  closed,
)

export const CardPatchBody = Type.Object({ expiresAt: issued.expiresAt }, closed)

export const BlockBody = Type.Object({ reason: Note() }, closed)
export const ReasonBody = Type.Object({ reason: Type.Optional(Note()) }, closed)

export const RevealedBody = Type.Object({
  id: Id('Id of the card.', '42'),
  pan: Type.String({ description: 'The card number, in full.', examples: ['9364000000000019'] }),
})
