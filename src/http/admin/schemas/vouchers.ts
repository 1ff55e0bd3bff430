import { type Static, Type } from 'typebox'
import { vouchersMax } from '../../../core/vouchers.ts'
import { CalendarDate, Id, must, PositiveAmount, Time } from '../../schemas/common.ts'
import { Choice, Code, closed, ListOf, Name, OrNull, Version } from './common.ts'

const Goods = Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
  minItems: 1,
  maxItems: 1_000,
  description: 'Only for these goods of a basket. Left out: for all.',
  ...must('must be a list of names of goods'),
})

const series = {
  name: Name('Name of the series.', 'Nowruz 1406', 100),
  program: Code('Code of the program that is made for it.', 'nowruz-1406'),
  count: Type.Integer({
    minimum: 1,
    maximum: vouchersMax,
    description: 'How many vouchers.',
    examples: [500],
    ...must(`must be an integer from 1 to ${vouchersMax}`),
  }),
  amount: PositiveAmount('What each is worth.'),
  validFrom: CalendarDate('The first day on which they may be used.'),
  validUntil: CalendarDate('The last one.'),
} as const

export const NewSeriesBody = Type.Object(
  {
    name: series.name,
    program: series.program,
    funder: Code('Organisation that pays.', 'bazaar'),
    count: series.count,
    amount: series.amount,
    validFrom: Type.Optional(series.validFrom),
    validUntil: series.validUntil,
    uses: Choice(['single', 'several'], '`single`: one purchase, however much of it that takes.'),
    where: Type.Optional(
      Type.Unsafe<unknown>({ type: 'object', description: 'Where they may be used, as in terms: allow and deny.' }),
    ),
    goods: Type.Optional(Goods),
    minimumBasket: Type.Optional(PositiveAmount('A purchase below this is not for them.')),
  },
  closed,
)
export type NewSeriesBody = Static<typeof NewSeriesBody>

export const SeriesBody = Type.Object({
  id: Id('Id of the series.', '3'),
  name: series.name,
  program: series.program,
  funder: Code('Organisation that pays.', 'bazaar'),
  count: series.count,
  amount: series.amount,
  validFrom: OrNull(series.validFrom),
  validUntil: series.validUntil,
  loadFile: Id('The list that loads them.', '42'),
  loaded: Type.Integer({ description: 'How many can be used already.', examples: [500] }),
  sealedAt: OrNull(Time('Since when nobody can read their codes any more; null: they can still be read.')),
  createdBy: Type.String({ description: 'Label of the API key.', examples: ['finance'] }),
  createdAt: Time('When it was set up.'),
  version: Version(),
  codes: Type.Optional(
    Type.Array(Type.String({ examples: ['7K3M-9QXV-2B4D-HNTC'] }), {
      description: 'Of a small series, in the first answer only. All others are read as CSV.',
    }),
  ),
})
export const SeriesList = ListOf(SeriesBody)
