import type { Command } from '../../src/core/commands.ts'
import { decide } from '../../src/core/decide.ts'
import type { DecisionContext } from '../../src/core/decision.ts'
import type { Micros } from '../../src/core/ids.ts'
import type { Lot } from '../../src/core/ledger.ts'
import { localTimeOf } from '../../src/core/local-time.ts'
import { WorkingSet } from '../../src/core/working-set.ts'
import { panToken } from '../../src/crypto/hash.ts'
import type { Result } from '../../src/engine/result.ts'
import { catalog, panKey } from './http.ts'

export const memoryPan = '9364000000000019'
const day = 20_778
export const memoryTime: Micros = day * 86_400_000_000 + 30_600_123_456

const lot = (id: number, program: number, amount: bigint): Lot => ({
  id,
  holder: 1,
  program,
  funder: 1,
  asset: 1,
  debitsPending: 0n,
  debitsPosted: 0n,
  creditsPending: 0n,
  creditsPosted: amount,
  limit: 0n,
  expiresAt: null,
  sweepDue: null,
  isFrozen: false,
})

/** The real decisions on one card with 1,000 of credit and 500 of welfare, without a database: one endless batch. */
export function memoryEngine(): (command: Command) => Promise<Result> {
  const card = {
    token: panToken(memoryPan, panKey),
    holder: 1,
    status: 'active',
    expiresAt: null,
    pinTries: 0,
  } as const
  const rows = new WorkingSet({
    decisions: [],
    transactions: [],
    cards: [card],
    lots: [lot(101, 1, 1000n), lot(102, 2, 500n)],
    lockedHolders: [[1, []]],
    organisations: [{ id: 1, balance: 0n, usage: [] }],
    holdersWithLots: [1],
    settledUpTo: [
      [1, -1],
      [2, -1],
    ],
    rememberedReversals: [],
  })
  let sequence = 0
  let lastLot = 1_000
  let at = memoryTime
  return async command => {
    at += 1_000
    const context: DecisionContext = {
      catalog,
      at,
      batch: 1,
      businessDate: day,
      local: localTimeOf(at, catalog.tenant),
      nextSequence: () => ++sequence,
      nextLot: () => ++lastLot,
    }
    const outcome = decide(command, rows, context)
    if (outcome.kind === 'deferred') throw new Error('the memory engine has all rows there are')
    return outcome
  }
}
