import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Engine } from '../src/engine/engine.ts'
import { laneLimits } from '../src/engine/lane.ts'
import { authorize, confirm, newKey } from '../test/support/core.ts'
import { startLedger, type TestLedger, tokenOf } from '../test/support/switch.ts'
import type { CodecFigures } from './codec.ts'

/**
 * Keeps what makes the switch fast from being lost unnoticed. Only ratios within one run are looked at, with margins
 * that a busy machine does not use up; how fast it is, is for the benchmark to say.
 */
const timesBatchesOfOneMin = 3
const timesRivalMin = { pack: 5, unpack: 2 } as const

const cards = 200
const inFlight = 128
const roundMs = 600
const rounds = 3

describe('the engine', () => {
  let ledger: TestLedger
  beforeAll(async () => {
    ledger = await startLedger({ cards })
  })
  afterAll(() => ledger.close())

  test(`is at least ${timesBatchesOfOneMin} times as fast as with batches of one`, { retry: 1 }, async () => {
    const ofOne = ledger.engine({ limits: { ...laneLimits, batchMax: 1 } })
    const asShipped = ledger.engine()
    const ratios: number[] = []
    // Turn and turn about: what slows the machine down slows both.
    for (let round = 0; round < rounds; round++) {
      const one = await salesIn(roundMs, ofOne)
      ratios.push((await salesIn(roundMs, asShipped)) / one)
    }
    await Promise.all([ofOne.close(), asShipped.close()])
    expect(Math.max(...ratios)).toBeGreaterThan(timesBatchesOfOneMin)
  })

  /** Authorized and confirmed in that time, so many at once. */
  async function salesIn(ms: number, engine: Engine): Promise<number> {
    const { id: tenant } = ledger.catalog.tenant
    const till = { tenant, merchant: 'M00000000000001', terminal: 'T0000001' }
    const until = performance.now() + ms
    let sales = 0
    const sell = async (first: number): Promise<void> => {
      for (let card = first; performance.now() < until; card = (card + 1) % cards) {
        const key = newKey()
        await engine.submit(authorize(1n, { ...till, key, card: tokenOf(card + 1) }))
        const { kind } = await engine.submit(confirm(key, null, { tenant }))
        if (kind !== 'decided') throw new Error(`a confirm was ${kind}`)
        if (performance.now() < until) sales++
      }
    }
    await Promise.all(Array.from({ length: inFlight }, (_, index) => sell(index % cards)))
    return sales
  }
})

test('the codec is several times as fast as iso_8583', { retry: 1 }, () => {
  const text = execFileSync(process.execPath, [join(import.meta.dirname, 'codec.ts')], { encoding: 'utf8' })
  for (const { packRatio, unpackRatio } of JSON.parse(text) as CodecFigures[]) {
    expect(packRatio).toBeGreaterThan(timesRivalMin.pack)
    expect(unpackRatio).toBeGreaterThan(timesRivalMin.unpack)
  }
})
