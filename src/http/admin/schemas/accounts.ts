import { Type } from 'typebox'
import { entryTypes } from '../../../core/statement.ts'
import { periods } from '../../../core/windows.ts'
import { Amount, CalendarDate, Id, MerchantCode, Note, Time } from '../../schemas/common.ts'
import { Choice, Code, closed, ListOf, OrNull } from './common.ts'

const program = Code('Code of the program.', 'welfare')
const funder = Code('Code of who has loaded it.', 'snapp')
const Count = (description: string) => Type.Integer({ description, examples: [3] })

export const LimitUseBody = Type.Object({
  of: Choice(['account', 'holder', 'merchant', 'organisation'], 'Whose purchases it counts.'),
  per: Choice(periods, 'Over how long.'),
  hours: OrNull(Type.Integer({ description: 'Of the period `hours`: how many.', examples: [24] })),
  merchant: OrNull(MerchantCode('Of a limit of merchants: which.')),
  organisation: OrNull(Code('Of a limit of organisations: which.', 'snapp')),
  amount: OrNull(Amount('The limit; null: none of amount.')),
  count: OrNull(Count('The limit; null: none of count.')),
  usedAmount: Amount('What has been approved in the present window.'),
  usedCount: Count('How many have been.'),
  leftAmount: OrNull(Amount('What may still be approved.')),
  leftCount: OrNull(Count('How many may still be.')),
})

const LotBody = Type.Object({
  id: Id('Id of the load.', '17'),
  funder,
  balance: Amount('What is on it, held or not.'),
  held: Amount('What open holds reserve.'),
  available: Amount('What is not held.'),
  expiresAt: OrNull(Time('When it expires; null: never.')),
  isExpired: Type.Boolean({ description: 'Whether it has: what is left is booked as breakage soon.' }),
  isFrozen: Type.Boolean({ description: 'Whether it is frozen.' }),
})

export const AccountBody = Type.Object({
  program,
  balance: Amount('What is on it, held or not.'),
  held: Amount('What open holds reserve.'),
  available: Amount('What is neither held nor expired nor frozen.'),
  spendable: Amount('What could be spent in one purchase now, at a merchant against which no rule stands.'),
  isFrozen: Type.Boolean({ description: 'Whether it is frozen.' }),
  lots: Type.Array(LotBody, { description: 'The loads that have something on them, the oldest first.' }),
  limits: Type.Array(LimitUseBody, { description: 'What its limits have counted.' }),
})

export const AccountList = Type.Object({
  items: Type.Array(AccountBody),
  at: Time('The moment for which this is true.'),
})

export const AccountParams = Type.Object({
  id: Id('Id of the holder.', '42'),
  program: Type.String({ description: 'Code of the program.', examples: ['welfare'] }),
})

export const FreezeBody = Type.Object({ reason: Note() }, closed)
export const ReleaseBody = Type.Object({ reason: Type.Optional(Note()) }, closed)

export const EntryBody = Type.Object({
  id: Id('Id of the entry.', '52.0'),
  at: Time('When it was booked.'),
  type: Choice(entryTypes, 'What it was.', 'purchase'),
  amount: Amount('Below zero: taken off.'),
  balance: Amount('What was on the account after it.'),
  merchant: OrNull(MerchantCode('Of a purchase: where.')),
  transaction: OrNull(Id('Of a purchase: its id.')),
  reference: OrNull(Type.String({ description: 'Number of the bill, or of the load.' })),
  reason: OrNull(Type.String({ description: 'Why, in the words of whoever did it.' })),
  actor: OrNull(Type.String({ description: 'Who did it.' })),
  lots: Type.Array(Type.Object({ lot: Id('Id of the load.', '17'), funder, amount: Amount('Of this load.') })),
})
export const Statement = ListOf(EntryBody)

const line = {
  day: CalendarDate('The accounting day.'),
  type: Type.String({ description: 'What was posted, such as load, purchase, refund or breakage.' }),
  count: Count('How many postings.'),
  amount: Amount('Their sum.'),
} as const

export const OrganisationStatement = Type.Object({
  organisation: Code('Its code.', 'snapp'),
  from: Time('From here.'),
  to: Time('Up to here.'),
  opening: Amount('What was on the loads that it has funded, at the start.'),
  closing: Amount('The same at the end: the opening and all amounts between.'),
  items: Type.Array(
    Type.Object({ ...line, program: OrNull(program), merchant: OrNull(MerchantCode('Of purchases: where.')) }),
    { description: 'The newest day first. Above zero: came onto its loads.' },
  ),
})

export const MerchantStatement = Type.Object({
  merchant: MerchantCode(),
  from: Time('From here.'),
  to: Time('Up to here.'),
  net: Amount('The sum of all amounts.'),
  items: Type.Array(Type.Object(line), { description: 'The newest day first. Above zero: is owed to the merchant.' }),
})
