import type { LoadSpec } from '../src/load/spec.ts'
import { mixes } from '../src/load/spec.ts'
import type { BenchOptions } from './options.ts'
import { anyTills, apiKey, cardBin, currency } from './tenant.ts'

const amountMax = 500_000
const patienceMs = 60_000

/** What all loads of a run have in common: over ISO 8583, any card at any merchant, authorize and confirm. */
function common({ cards, connections, warmupSeconds, seconds }: BenchOptions): Omit<LoadSpec, 'pace'> {
  return {
    protocol: 'iso',
    host: '127.0.0.1',
    port: 0,
    tls: null,
    connections,
    tills: anyTills(connections),
    cards: { kind: 'range', bin: cardBin, first: 1, count: cards },
    hotCardPart: 0,
    amountMax,
    currency,
    apiKey,
    mix: mixes['authorize-confirm'],
    warmupMs: warmupSeconds * 1000,
    measureMs: seconds * 1000,
    seed: 1,
  }
}

export const isoSpec = (options: BenchOptions, port: number, inFlight: number): LoadSpec => ({
  ...common(options),
  port,
  pace: { kind: 'closed', inFlight },
})

export const httpSpec = (options: BenchOptions, port: number): LoadSpec => {
  const { httpConnections: connections } = options
  return {
    ...common(options),
    protocol: 'http',
    port,
    connections,
    tills: anyTills(connections),
    pace: { kind: 'closed', inFlight: connections },
  }
}

/** Open loop: one that is due waits for a connection, and its latency with it. */
export const openSpec = (spec: LoadSpec, perSecond: number): LoadSpec => ({
  ...spec,
  pace: { kind: 'open', rates: [{ perSecond, ms: 0 }], patienceMs },
})
