import { type Static, Type } from 'typebox'
import { scheduleStatuses } from '../../../core/load-lists.ts'
import { CalendarDate, Id, must, Note, PositiveAmount, Time } from '../../schemas/common.ts'
import { Choice, Code, closed, ListOf, Name, OrNull, Version } from './common.ts'

const membersMax = 10_000

const schedule = {
  name: Name('Its name.', 'Monthly food credit', 100),
  amount: PositiveAmount('How much each holder gets.'),
  dayOfMonth: Type.Integer({
    minimum: 1,
    maximum: 31,
    description: 'Day of the month; a month without it has it on its last day.',
    examples: [1],
    ...must('must be an integer from 1 to 31'),
  }),
  time: Type.String({
    pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$',
    description: 'On the clocks of the business.',
    examples: ['08:00'],
    ...must('must be a time such as 08:00'),
  }),
  catchUp: Choice(
    ['all', 'latest'],
    'After a time without a switch: every period that was missed, in order, or the latest only.',
  ),
  reason: OrNull(Note()),
} as const
const Members = Type.Array(
  Type.Object({ cardholder: Id('Id of the holder.', '42'), amount: Type.Optional(schedule.amount) }, closed),
  {
    maxItems: membersMax,
    description: 'Of a schedule for a list: who, and how much where that differs.',
    ...must(`must be a list of at most ${membersMax} holders`),
  },
)
const calendar = Choice(['gregorian', 'persian'], 'Whose months.', 'persian')
const program = Code('Program that is loaded.', 'welfare')
const holders = Choice(
  ['list', 'program'],
  '`list`: the members; `program`: whoever has had credit of this program and funder.',
)

export const ScheduleBody = Type.Object({
  id: Id('Id of the schedule.', '3'),
  ...schedule,
  calendar,
  program,
  funder: Code('Organisation that pays.', 'snapp'),
  holders,
  members: Type.Integer({ description: 'How many members its list has.', examples: [120] }),
  status: Choice(scheduleStatuses, '`paused`: periods are left out until it is active again; `ended`: for good.'),
  nextPeriod: CalendarDate('The day on which it is due next.'),
  dueAt: Time('The moment.'),
  createdBy: Type.String({ description: 'Label of the API key.', examples: ['finance'] }),
  createdAt: Time('When it was set up.'),
  version: Version(),
})
export const ScheduleList = ListOf(ScheduleBody)

export const NewScheduleBody = Type.Object(
  {
    name: schedule.name,
    program,
    funder: Type.Optional(Code('Organisation that pays. Left out: that of the program.', 'snapp')),
    amount: schedule.amount,
    calendar,
    dayOfMonth: schedule.dayOfMonth,
    time: schedule.time,
    holders,
    members: Type.Optional(Members),
    catchUp: Type.Optional(schedule.catchUp),
    reason: Type.Optional(schedule.reason),
  },
  closed,
)
export type NewScheduleBody = Static<typeof NewScheduleBody>

export const SchedulePatchBody = Type.Partial(
  Type.Object({
    ...schedule,
    members: Members,
    status: Choice(scheduleStatuses, '`paused`, `active` again, or `ended` for good.'),
  }),
  closed,
)
export type SchedulePatchBody = Static<typeof SchedulePatchBody>
