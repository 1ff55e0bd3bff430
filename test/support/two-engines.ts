import { afterAll, beforeAll, expect } from 'vitest'
import type { Authorize } from '../../src/core/commands.ts'
import { dayOfMicros } from '../../src/core/ids.ts'
import { terminalKey } from '../../src/core/keys.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { nowMicros } from '../../src/ops/clock.ts'
import type { Named } from './core.ts'
import * as make from './core.ts'
import { ask, readLots } from './database-ledger.ts'
import { startLedger, type TestLedger, tokenOf } from './switch.ts'

export const M1 = 'M00000000000001'
export const M2 = 'M00000000000002'

export let ledger: TestLedger
/** Two engines, as two processes have them: neither knows what the other has done but from the database. */
export let engine: Engine
export let other: Engine
export let tenant: number

/** For all tests of a file that calls this. */
export function useTwoEngines(): void {
  beforeAll(async () => {
    ledger = await startLedger({ cards: 300 })
    tenant = ledger.catalog.tenant.id
    engine = ledger.engine()
    other = ledger.engine()
  })
  afterAll(() => ledger.close())
}

let lastCard = 10
/** A card that no other test uses, with credit only. */
export const newCard = (): string => tokenOf(++lastCard)
export const here = () => ({ tenant, merchant: M1, terminal: 'T0000001' })
export const authorize = (amount: bigint, over: Partial<Authorize> = {}) =>
  make.authorize(amount, { ...here(), card: newCard(), ...over })
export const bill = (reference: string) => ({ by: 'reference', merchant: M1, reference }) as const
export const confirm = (original: Named, amount: bigint | null = null, over: Parameters<typeof make.confirm>[2] = {}) =>
  make.confirm(original, amount, { tenant, ...over })
export const reverse = (original: Named, off: bigint | null = null, over: Parameters<typeof make.reverse>[2] = {}) =>
  make.reverse(original, off, { tenant, ...over })
export const refund = (original: Named, amount: bigint | null = null, over: Parameters<typeof make.refund>[2] = {}) =>
  make.refund(original, amount, { tenant, ...over })

let stan = 0
export const nextStan = (): number => ++stan
/** An authorize as a terminal sends it. */
export const byTerminal = (
  amount: bigint,
  over: Partial<Authorize> & { sentAt?: number; stan?: number } = {},
): Authorize => {
  const { sentAt = 1_122_000_000, stan: given = nextStan(), ...rest } = over
  const key = terminalKey({ terminal: 'T0000001', merchant: M1, step: 'open', stan: given, sentAt })
  return authorize(amount, { channel: 'terminal', key, day: dayOfMicros(nowMicros()), stan: given, ...rest })
}
export const opened = async (command: Authorize): Promise<number> => {
  const { decision } = await ask(engine, command)
  expect(decision.reason).toMatch(/^approved/)
  return decision.transaction as number
}
export const holderOf = (token: string): number => Number.parseInt(token.slice(2), 16)
export const lotOf = async (token: string) => {
  const lots = await readLots(ledger)
  return lots.find(({ holder, program }) => holder === holderOf(token) && program === 1)!
}
