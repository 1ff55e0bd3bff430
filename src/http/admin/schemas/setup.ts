import { type Static, Type } from 'typebox'
import { calendars } from '../../../core/tenants.ts'
import { Amount, CalendarDate, Id, must, Nullable, Time } from '../../schemas/common.ts'
import { roles, type Scope, scopes } from '../../scopes.ts'
import { AmountOrZero, Choice, Code, closed, ListOf, Name, OrNull, Version } from './common.ts'

const tenant = {
  name: Name('Name of the business.', 'Bazaar'),
  timeZone: Type.String({
    maxLength: 64,
    description: 'IANA name of the zone in which days, weeks and months are counted.',
    examples: ['Asia/Tehran'],
  }),
  calendar: Choice(calendars, 'Where weeks begin: `persian` on Saturday, `gregorian` on Monday.', 'persian'),
  cutOverSeconds: Type.Integer({
    minimum: 0,
    maximum: 86_399,
    description: 'Seconds after local midnight at which the accounting day moves on.',
    examples: [0],
    ...must('must be an integer from 0 to 86399'),
  }),
  fourEyesAbove: OrNull(
    AmountOrZero(
      'Beyond it a load, adjustment or claw-back waits for a second person, and so does any change of terms.',
    ),
  ),
} as const

export const TenantBody = Type.Object({
  code: Code('Names it for ever.', 'bazaar'),
  currency: Type.String({ description: 'Code of the currency of purchases.', examples: ['IRR'] }),
  ...tenant,
  fourEyesAbove: Nullable(Amount('As in a change of it; null: nothing waits.')),
  version: Version(),
})
export const TenantPatchBody = Type.Partial(Type.Object(tenant), closed)

export const HolidayParams = Type.Object({ date: CalendarDate('The day, in the zone of the tenant.') })
export const HolidayRequest = Type.Object({ name: Name('What it is.', 'Nowruz') }, closed)
export const HolidayBody = Type.Object({ date: CalendarDate('The day.'), name: Name('What it is.', 'Nowruz') })
export const HolidayList = ListOf(HolidayBody)

const roleNames = Object.keys(roles) as (keyof typeof roles)[]
const scopeNames = Object.keys(scopes) as Scope[]

const apiKey = {
  label: Name('What people call it: it stands in the audit log.', 'operations desk', 100),
  role: OrNull(Choice(roleNames, 'Stands for the scopes that people in it need.')),
  scopes: Type.Array(Choice(scopeNames, 'A scope.'), {
    uniqueItems: true,
    description: 'What it may do, beside what its role may.',
    examples: [['transactions:write', 'transactions:read']],
    ...must('must be a list of different scopes'),
  }),
  merchants: Type.Array(Name('Code of a merchant.', 'M00000000000001', 15), {
    uniqueItems: true,
    maxItems: 10_000,
    description: 'The merchants that it speaks for; `*` alone: all.',
    examples: [['M00000000000001']],
    ...must('must be a list of different codes of merchants, or `*` alone'),
  }),
  organisation: OrNull(Code('The only organisation that it sees; null: all.', 'snapp')),
} as const

export const ApiKeyBody = Type.Object({
  id: Id('Its id.', '7'),
  ...apiKey,
  createdAt: Time('When it was made.'),
  disabledAt: Nullable(Time('Since when it is not taken any more.')),
  version: Version(),
})
export const ApiKeyList = ListOf(ApiKeyBody)
export const NewApiKeyAnswer = Type.Object({
  ...ApiKeyBody.properties,
  secret: Type.Optional(
    Type.String({
      description: 'The key itself. It is told once, and not in a repeat: only its hash is kept.',
      examples: ['ck_Zk3u0bV5o4mJ8s1qT2xY7wA9cE6dF0gH1iK2lM3nP4o'],
    }),
  ),
})

export const NewApiKeyBody = Type.Object(
  { ...Type.Partial(Type.Object(apiKey)).properties, label: apiKey.label },
  closed,
)
export type NewApiKeyBody = Static<typeof NewApiKeyBody>

const Json = (description: string) =>
  Type.Unsafe<object | null>({ type: ['object', 'null'], description, examples: [{ name: 'Bazaar' }] })

export const AuditLineBody = Type.Object({
  id: Id('Its id.', '1001'),
  at: Time('When it was changed.'),
  apiKey: Id('Id of the API key.', '7'),
  actor: Type.String({ description: 'What people called the key then.', examples: ['operations desk'] }),
  action: Type.String({ description: 'What was done.', examples: ['update'] }),
  entity: Type.String({ description: 'To what kind of thing.', examples: ['merchant'] }),
  entityId: Type.String({ description: 'Its code or id.', examples: ['M00000000000001'] }),
  before: Json('As it was; null: it was not there, or the line is of a movement.'),
  after: Json('As it is since; null: it is gone.'),
})
export const AuditList = ListOf(AuditLineBody)
