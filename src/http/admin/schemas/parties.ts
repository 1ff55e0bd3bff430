import { type Static, Type } from 'typebox'
import { operations } from '../../../core/catalog.ts'
import { channels, confirmations, contracts, statuses } from '../../../core/parties.ts'
import { Amount, CalendarDate, Id, must, Note, Reference, Time } from '../../schemas/common.ts'
import { AmountOrZero, Choice, Code, closed, ListOf, Name, OrNull, SignedAmount, Version } from './common.ts'

const organisation = {
  name: Name('Its name.', 'Snapp'),
  contract: Choice(
    contracts,
    'What it may load: `prepaid`: what it has paid in; `credit_line`: that and up to its credit limit; `unlimited`.',
    'prepaid',
  ),
  creditLimit: AmountOrZero('How much may be loaded beyond what is paid in, under a `credit_line`.'),
  contractNumber: OrNull(Name('Number of the contract.', '1405/17', 64)),
  contractFrom: OrNull(CalendarDate('First day of the contract.')),
  contractUntil: OrNull(CalendarDate('Last day of the contract.')),
  status: Choice(statuses, '`suspended`: nothing is loaded from it any more; what was loaded may be spent.'),
} as const
const code = Code('Names it for ever.', 'snapp')

export const OrganisationBody = Type.Object({
  code,
  ...organisation,
  balance: Amount('Paid in less loaded.'),
  version: Version(),
})
export const OrganisationList = ListOf(OrganisationBody)

export const NewOrganisationBody = Type.Object(
  { code, ...Type.Partial(Type.Object(organisation)).properties, name: organisation.name },
  closed,
)
export type NewOrganisationBody = Static<typeof NewOrganisationBody>

export const OrganisationPatchBody = Type.Partial(Type.Object(organisation), closed)
export type OrganisationPatchBody = Static<typeof OrganisationPatchBody>

export const DepositRequest = Type.Object(
  {
    amount: SignedAmount('What it has paid in; below zero: what was paid back to it.'),
    reason: Type.Optional(Note()),
    reference: Type.Optional(Reference('Of the bank, or your own.')),
  },
  closed,
)
export type DepositRequest = Static<typeof DepositRequest>

export const Deposit = Type.Object({
  id: Id('Of the deposit.', '52-0'),
  organisation: code,
  amount: Amount('What was paid in; below zero: what was paid back.'),
  reason: OrNull(Note()),
  reference: OrNull(Reference('Of the bank, or your own.')),
  at: Time('When it was booked.'),
})

export const DepositLine = Type.Object({
  ...Deposit.properties,
  actor: Type.String({ description: 'Who recorded it: the label of the API key.', examples: ['finance'] }),
})
export type DepositLine = Static<typeof DepositLine>
export const DepositList = ListOf(DepositLine)

const Percent = () =>
  Type.String({
    pattern: '^[0-9]{1,3}(\\.[0-9]{1,4})?$',
    description: 'Percent of the purchases, from 0 to 100, with at most four decimals.',
    examples: ['1.25'],
    ...must('must be a percentage from 0 to 100 as text, such as "1.25"'),
  })

const Fee = () =>
  Type.Object(
    { percent: Type.Optional(Percent()), each: Type.Optional(AmountOrZero('For each purchase.')) },
    { ...closed, description: 'What the merchant pays for purchases, out of each settlement.' },
  )

const merchant = {
  name: Name('Its name.', 'Golestan Market'),
  category: OrNull(Name('Its category, as terms of programs name it.', 'grocery', 64)),
  groups: Type.Array(Name('A group, as terms of programs name it.', 'tehran', 64), {
    maxItems: 100,
    uniqueItems: true,
    description: 'Groups that it is in.',
    ...must('must be at most 100 different texts'),
  }),
  settlementAccount: OrNull(
    Type.String({
      pattern: '^[A-Z]{2}[0-9]{2}[0-9A-Z]{11,30}$',
      description: 'IBAN, without blanks: where settlements are paid out to.',
      examples: ['IR580540105180021273113007'],
      ...must('must be an IBAN without blanks'),
    }),
  ),
  fee: Fee(),
  status: Choice(statuses, '`suspended`: nothing is paid there any more.'),
} as const
const merchantCode = Code('Names it for ever (card acceptor, ISO 8583 DE42).', 'M00000000000001', 15)

export const MerchantBody = Type.Object({ code: merchantCode, ...merchant, version: Version() })
export const MerchantList = ListOf(MerchantBody)
export const NewMerchantBody = Type.Object(
  { code: merchantCode, ...Type.Partial(Type.Object(merchant)).properties, name: merchant.name },
  closed,
)
export type NewMerchantBody = Static<typeof NewMerchantBody>
export const MerchantPatchBody = Type.Partial(Type.Object(merchant), closed)
export type MerchantPatchBody = Static<typeof MerchantPatchBody>

const terminal = {
  channel: Choice(channels, 'What it is.'),
  confirmation: Choice(
    confirmations,
    '`implicit`: an approved 0200 is confirmed at once. It has no meaning over HTTP.',
  ),
  partial: Type.Boolean({ description: 'Whether it understands a partial approval.', examples: [false] }),
  confirmWithin: OrNull(
    Type.Integer({
      minimum: 1,
      maximum: 2_678_400,
      description: 'Seconds within which a hold must be confirmed; null: as the channel has it.',
      examples: [900],
      ...must('must be an integer from 1 to 2678400'),
    }),
  ),
  operations: OrNull(
    Type.Array(Choice(operations, 'An operation.'), {
      uniqueItems: true,
      description: 'What may be asked for there; null: everything.',
      examples: [['purchase', 'inquiry']],
      ...must('must be a list of different operations'),
    }),
  ),
  status: Choice(statuses, '`suspended`: nothing may be asked for there any more.'),
} as const
const terminalCodes = {
  code: Code('Names it for ever (ISO 8583 DE41).', 'T0000001', 8),
  merchant: merchantCode,
} as const

export const TerminalBody = Type.Object({ ...terminalCodes, ...terminal, version: Version() })
export const TerminalList = ListOf(TerminalBody)
export const NewTerminalBody = Type.Object(
  { ...terminalCodes, ...Type.Partial(Type.Object(terminal)).properties },
  closed,
)
export type NewTerminalBody = Static<typeof NewTerminalBody>
export const TerminalPatchBody = Type.Partial(Type.Object(terminal), closed)
export type TerminalPatchBody = Static<typeof TerminalPatchBody>
