import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Authorize } from '../src/core/commands.ts'
import type { Engine } from '../src/engine/engine.ts'
import type { Statement } from '../src/store/sql.ts'
import type { Named } from './support/core.ts'
import * as make from './support/core.ts'
import { ask, readLots } from './support/database-ledger.ts'
import { nameOf, quietEvents, riggedConnect } from './support/rigging.ts'
import { startLedger, type TestLedger, tokenOf } from './support/switch.ts'

let ledger: TestLedger
/** Two engines, as two processes have them: neither knows what the other has done but from the database. */
let engine: Engine
let other: Engine
const sent: string[] = []
const faults: string[] = []

beforeAll(async () => {
  const limits = [{ of: 'account', per: 'day', amount: '1000000000', count: 1_000_000 }]
  ledger = await startLedger({ cards: 40, programs: [{ code: 'credit', kind: 'credit', terms: { limits } }], load })
  const rewrite = (statement: Statement): Statement => {
    sent.push(nameOf(statement))
    return statement
  }
  const events = { ...quietEvents, fault: (error: { fault: string }) => void faults.push(error.fault) }
  engine = ledger.engine({ connect: riggedConnect(ledger.url, { rewrite }), events })
  other = ledger.engine()
})
afterAll(() => ledger.close())

const load = [{ program: 'credit', amount: 1_000_000n }]
let lastCard = 0
const here = () => ({ tenant: ledger.catalog.tenant.id })

/** A hold of 100 that `engine` remembers. */
async function held(): Promise<{ command: Authorize; id: number }> {
  const place = { ...here(), merchant: 'M00000000000001', terminal: 'T0000001' }
  const command = make.authorize(100n, { ...place, card: tokenOf(++lastCard) })
  const { decision } = await ask(engine, command)
  expect(decision.reason).toBe('approved')
  sent.length = 0
  faults.length = 0
  return { command, id: decision.transaction as number }
}

const confirm = (original: Named, amount: bigint | null = null, over: Parameters<typeof make.confirm>[2] = {}) =>
  make.confirm(original, amount, { ...here(), ...over })
const lotOf = async (id: number) => {
  const { rows } = await ledger.pool.query('SELECT holder FROM transactions WHERE id = $1', [id])
  return (await readLots(ledger)).find(({ holder }) => holder === Number(rows[0].holder))
}

test('a hold of late is confirmed without being read', async () => {
  const { id } = await held()
  expect(await ask(engine, confirm(id))).toMatchObject({
    decision: { reason: 'approved', phase: 'confirmed' },
    transaction: { id, phase: 'confirmed', amounts: { confirmed: 100n } },
  })
  expect(sent).not.toContain('read_transactions')
  expect(faults).toEqual([])
  expect(await lotOf(id)).toMatchObject({ debitsPending: 0n, debitsPosted: 100n })
})

test('in part: what is given back is read first', async () => {
  const { id } = await held()
  const { decision } = await ask(engine, confirm(id, 30n))
  expect(decision).toMatchObject({ reason: 'approved', amounts: { confirmed: 30n } })
  expect(sent).toContain('read_transactions')
  expect(await lotOf(id)).toMatchObject({ debitsPending: 0n, debitsPosted: 30n })
})

test.each<[string, bigint | null, string]>([
  ['more than is held', 101n, 'amount_beyond'],
  ['nothing', 0n, 'amount_invalid'],
])('%s is refused once it has been read', async (_what, amount, reason) => {
  const { id } = await held()
  expect((await ask(engine, confirm(id, amount))).decision).toMatchObject({ reason, phase: 'authorized' })
  expect(sent).toContain('read_transactions')
  expect((await ask(engine, confirm(id))).decision.reason).toBe('approved')
})

test.each<[string, bigint | null]>([
  ['wholly', null],
  ['for too much', 101n],
])('what another process has reversed meanwhile is not confirmed, %s', async (_how, amount) => {
  const { id } = await held()
  expect((await ask(other, make.reverse(id, null, here()))).decision.reason).toBe('approved')
  expect((await ask(engine, confirm(id, amount))).decision).toMatchObject({
    reason: 'not_confirmable',
    phase: 'reversed',
  })
  expect(faults).toEqual(amount === null ? ['again'] : [])
  expect(await lotOf(id)).toMatchObject({ debitsPending: 0n, debitsPosted: 0n })
})

test('what follows a confirm by its key is decided on what was read', async () => {
  for (const follow of [make.reverse, make.refund]) {
    const { id } = await held()
    const first = confirm(id, 60n)
    expect((await ask(other, first)).decision.reason).toBe('approved')
    const followUp = follow({ by: 'key', key: first.key, day: null }, null, here())
    const [again, followed] = await Promise.all([ask(engine, first), ask(engine, followUp)])
    expect(again.replayed).toBe(true)
    expect(followed.decision.reason).toBe('approved')
    expect(faults).toEqual([])
  }
})

test('a hold that was reversed in part here is read, and its neighbours are not run again', async () => {
  const holds = await Promise.all(Array.from({ length: 4 }, held))
  const ids = holds.map(({ id }) => id)
  expect((await ask(engine, make.reverse(ids[0] as number, 40n, here()))).decision.reason).toBe('approved')
  const results = await Promise.all(ids.map(id => ask(engine, confirm(id))))
  expect(results.map(({ decision }) => decision.amounts?.confirmed)).toEqual([60n, 100n, 100n, 100n])
  expect(faults).toEqual([])
})

test('a confirm that another process has answered already gets that answer', async () => {
  const { id } = await held()
  const command = confirm(id)
  const first = await ask(other, command)
  const again = await ask(engine, command)
  expect(again.decision).toEqual(first.decision)
  expect(again.replayed).toBe(true)
  expect(again.transaction).toMatchObject({ phase: 'confirmed', version: 1 })
})

test('two confirms of one hold at once: one has it', async () => {
  const { id } = await held()
  const results = await Promise.all([ask(engine, confirm(id)), ask(engine, confirm(id))])
  expect(results.map(({ decision }) => decision.reason).sort()).toEqual(['approved', 'not_confirmable'])
  expect(await lotOf(id)).toMatchObject({ debitsPending: 0n, debitsPosted: 100n })
})

test('a batch with a confirm that was overtaken has all its effects once', async () => {
  const holds = await Promise.all(Array.from({ length: 8 }, held))
  const [taken, ...rest] = holds.map(({ id }) => id)
  await ask(other, confirm(taken as number, 40n))
  const results = await Promise.all(holds.map(({ id }) => ask(engine, confirm(id))))
  expect(results.map(({ decision }) => decision.reason)).toEqual(['not_confirmable', ...rest.map(() => 'approved')])
  expect(await lotOf(taken as number)).toMatchObject({ debitsPending: 0n, debitsPosted: 40n })
  for (const id of rest) expect(await lotOf(id)).toMatchObject({ debitsPending: 0n, debitsPosted: 100n })
})
