import { type Static, Type } from 'typebox'
import { programKinds } from '../../../core/catalog.ts'
import { programStatuses } from '../../../core/programs.ts'
import { must, Time } from '../../schemas/common.ts'
import { Choice, Code, closed, ListOf, Name, OrNull, Version } from './common.ts'

const changeable = {
  name: Name('Its name.', 'Snapp welfare'),
  funder: OrNull(Code('Code of the organisation that pays for loads which do not say it.', 'snapp')),
  bin: OrNull(
    Type.String({
      pattern: '^[0-9]{6,12}$',
      description: 'What the numbers of its cards begin with.',
      examples: ['936400'],
      ...must('must be 6 to 12 digits'),
    }),
  ),
  status: Choice(programStatuses, '`closed`: nothing is loaded or spent any more.'),
} as const
const fixed = {
  code: Code('Names it for ever.', 'snapp-welfare'),
  kind: Choice(programKinds, 'What kind of instrument it is.', 'welfare'),
} as const
const asset = Code('Code of what it is counted in; left out: the currency of the tenant.', 'IRR', 8)

const weekdaysAndLimit = {
  where: { allow: { categories: ['grocery'] }, deny: { merchants: ['M00000000000002'] } },
  when: { weekdays: ['saturday', 'sunday', 'monday'], hours: [{ from: '08:00', until: '22:00' }] },
  purchase: { maximum: '20000000', sharePercent: 50 },
  limits: [{ of: 'account', per: 'persian_month', amount: '50000000', count: 10 }],
  expiry: { kind: 'end_of_period', per: 'persian_month' },
  priority: 10,
}

const Terms = (description: string) =>
  Type.Unsafe<object>({
    type: 'object',
    description: `${description} Where, when and how much may be spent, and when it expires: see docs/programs.md.`,
    examples: [weekdaysAndLimit],
    ...must('must be an object'),
  })

export const ProgramBody = Type.Object({ ...fixed, ...changeable, asset, version: Version() })
export const ProgramList = ListOf(ProgramBody)

export const NewProgramBody = Type.Object(
  {
    ...fixed,
    ...Type.Partial(Type.Object(changeable)).properties,
    name: changeable.name,
    asset: Type.Optional(asset),
    terms: Type.Optional(Terms('Its first terms; left out: everywhere, without a limit, for ever.')),
  },
  closed,
)
export type NewProgramBody = Static<typeof NewProgramBody>

export const ProgramPatchBody = Type.Partial(Type.Object(changeable), closed)

export const TermsRequest = Type.Object(
  {
    startsAt: Type.Optional(
      Type.String({
        maxLength: 40,
        description: 'From when they hold (RFC 3339), not in the past. Left out: at once.',
        examples: ['2026-12-22T00:00:00+03:30'],
      }),
    ),
    terms: Terms('The terms, whole: what is left out is open.'),
  },
  closed,
)
export type TermsRequest = Static<typeof TermsRequest>

export const TermsBody = Type.Object({
  program: fixed.code,
  version: Type.Integer({ description: 'Counts the terms of the program, from 1.', examples: [2] }),
  startsAt: Time('From when they hold.'),
  madeAt: Time('When they were made.'),
  madeBy: Type.String({ description: 'What people call the API key that made them.', examples: ['operations desk'] }),
  terms: Terms('Whole, with amounts as digits.'),
})
export const TermsList = ListOf(TermsBody)
