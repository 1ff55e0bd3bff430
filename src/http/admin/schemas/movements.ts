import { Type } from 'typebox'
import { movementKinds } from '../../../core/lot-movements.ts'
import { entryTypeOf } from '../../../core/statement.ts'
import { Amount, Id, Time } from '../../schemas/common.ts'
import { Choice, Code, ListOf, OrNull } from './common.ts'

/** As statements name them. */
export const movementTypes = movementKinds.map(entryTypeOf)

export const MovementBody = Type.Object({
  id: Id('Id of the load, or of what else it was. Those of one call that were on several lots have the same.', '52-0'),
  at: Time('When it was booked.'),
  type: Choice(movementTypes, 'What it was.'),
  cardholder: Id('Id of the holder.', '42'),
  program: Code('Program of the lot.', 'welfare'),
  funder: Code('Who has funded the lot.', 'snapp'),
  lot: Id('The lot.', '17'),
  amount: Amount('Below zero: taken off the lot.'),
  balance: Amount('What was on the lot after it.'),
  reason: OrNull(Type.String({ description: 'Why, in the words of whoever did it.' })),
  reference: OrNull(Type.String({ description: 'Your own number of it, or that of the load file.' })),
  actor: OrNull(Type.String({ description: 'Who did it: the label of an API key; null: the switch by itself.' })),
})
export const MovementList = ListOf(MovementBody)
