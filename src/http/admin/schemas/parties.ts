import { type Static, Type } from 'typebox'
import { contracts, statuses } from '../../../core/parties.ts'
import { Amount, CalendarDate, Id, Note, Reference, Time } from '../../schemas/common.ts'
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
  amount: Amount('What was paid in.'),
  at: Time('When it was booked.'),
})
