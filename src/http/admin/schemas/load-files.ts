import { Type } from 'typebox'
import { lineStates, listSources, listStates } from '../../../core/load-lists.ts'
import { Amount, CalendarDate, Id, Note, Reference, Time } from '../../schemas/common.ts'
import { ApprovalBody } from './approvals.ts'
import { Choice, Code, ListOf, Name, OrNull, Version } from './common.ts'

const Count = (description: string) => Type.Integer({ description, examples: [1000] })

export const LoadFileBody = Type.Object({
  id: Id('Id of the load file.', '42'),
  kind: Choice(['load', 'clawback'], 'What its lines do.'),
  source: Choice(listSources, 'Where its lines come from.'),
  state: Choice(listStates, '`checked`: the dry run is there; `running`; `done`; `cancelled`.'),
  name: OrNull(Name('Name of the file.', 'azar.xlsx')),
  program: OrNull(Code('Program of lines that do not say it.', 'welfare')),
  funder: OrNull(Code('Organisation that pays; null: that of each program.', 'snapp')),
  expiresAt: OrNull(Time('When its loads expire, where a line does not say it; null: as the terms say.')),
  reason: OrNull(Note()),
  reference: OrNull(Reference('Your own number of it: the same file may be loaded again under another.')),
  ignoredColumns: Type.Array(Type.String(), { description: 'Titles that say nothing to the switch.' }),
  lines: Count('How many lines it has.'),
  accepted: Count('Lines that the dry run has accepted.'),
  rejected: Count('Lines that were rejected, by the dry run or when they were run.'),
  total: Amount('Of the accepted lines.'),
  done: Count('Accepted lines that were decided.'),
  loaded: Count('Of these, how many were approved.'),
  loadedTotal: Amount('What they came to.'),
  percentage: Type.Integer({ description: 'Of the accepted lines, how many hundredths are done.', examples: [37] }),
  secondsLeft: OrNull(Type.Integer({ description: 'An estimate; null: nothing can be said yet.', examples: [12] })),
  schedule: OrNull(Id('The schedule whose period it is.', '3')),
  period: OrNull(CalendarDate('First day of the month that it is of.')),
  voucherSeries: OrNull(Id('The series whose vouchers it loads.', '3')),
  createdBy: Type.String({ description: 'Label of the API key.', examples: ['finance'] }),
  createdAt: Time('When it was sent.'),
  checkedAt: OrNull(Time('When its lines were last checked.')),
  startedAt: OrNull(Time('When its run began.')),
  finishedAt: OrNull(Time('When its run ended.')),
  version: Version(),
})
export const LoadFileList = ListOf(LoadFileBody)

/** Told apart by `status`: a load file has none. */
export const LoadFileStarted = Type.Union([LoadFileBody, ApprovalBody])

export const LoadLineBody = Type.Object({
  line: Type.Integer({ description: 'Its row in the file, from 1.', examples: [2] }),
  state: Choice(lineStates, '`accepted` by the dry run; `rejected`; `done`.'),
  cardholder: OrNull(Id('Id of the holder.', '42')),
  identifier: OrNull(
    Type.String({ description: 'What named it; of numbers the last four digits.', examples: ['…5679'] }),
  ),
  program: OrNull(Code('Program.', 'welfare')),
  funder: OrNull(Code('Who pays.', 'snapp')),
  amount: OrNull(Type.Integer({ description: 'In minor units of the currency.', examples: [250000] })),
  lot: OrNull(Id('The lot that was loaded.', '17')),
  field: OrNull(Type.String({ description: 'What of the line is at fault.', examples: ['holder'] })),
  reason: OrNull(Type.String({ description: 'Why it was rejected.', examples: ['holder_unknown'] })),
  message: OrNull(Type.String({ description: 'The same in words.', examples: ['names no holder that is known'] })),
})
export const LoadLineList = ListOf(LoadLineBody)
