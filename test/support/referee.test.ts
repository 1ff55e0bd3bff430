import { expect, test } from 'vitest'
import { authorize, card, catalog, confirm, expire, lot } from './core.ts'
import { MemoryLedger } from './memory-ledger.ts'
import { type Exchange, Referee, worldOf } from './referee.ts'

test('a lane may decide an expire before what was sent before it: its refusal is not stored and takes no place', () => {
  const [cards, lots] = [[card(1)], [lot(11, 1, 100n)]]
  const ledger = new MemoryLedger({ cards, lots })
  const referee = new Referee(worldOf(catalog, cards, lots))
  const opening = authorize(50n)
  const opened = ledger.do(opening)
  referee.check([[opening, opened]])
  const id = opened.decision.transaction as number
  const commands = [expire(id), confirm(id)]
  const decided = ledger.submit(commands)
  expect(decided).toMatchObject([{ decision: { reason: 'not_expirable', index: 0 } }, { decision: { index: 0 } }])
  const exchanges = commands.map((command, index) => [command, decided[index]] as Exchange)
  referee.check(exchanges.toReversed())
  referee.checkBooks(ledger.lots.values(), ledger.decisions.values(), catalog, lots)
})
