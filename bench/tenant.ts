import type { Till } from '../src/load/spec.ts'
import type { BenchOptions } from './options.ts'

/** The tenant that the benchmark is run with: as the demo tenant, but larger. */
export const tenantCode = 'bench'
export const cardBin = '936400'
export const currency = { code: 'IRR', numeric: '364' } as const
export const apiKey = 'bench-pos-key'

/** Each merchant has so many terminals; but there is one that has as many as all others together. */
const terminalsPerMerchant = 4

/** What every lot holds at the start, in rials, at most: never spent within a run. */
const loadPerLotMax = 100_000_000_000
/** What the funder may have given, all in all: the switch books no more on one account than 2^53 - 1. */
const fundsMax = 9_000_000_000_000_000

const terminal = (prefix: string, index: number): string => `${prefix}${String(index + 1).padStart(7, '0')}`
const merchant = (number: number): string => `M${String(number + 1).padStart(14, '0')}`
const hotMerchant = 'HOT'

/** Terminals of different merchants. */
export const anyTills = (count: number): Till[] =>
  Array.from({ length: count }, (_, index) => ({
    terminal: terminal('T', index),
    merchant: merchant(Math.floor(index / terminalsPerMerchant)),
  }))

/** Terminals of one merchant. */
export const hotTills = (count: number): Till[] =>
  Array.from({ length: count }, (_, index) => ({ terminal: terminal('H', index), merchant: hotMerchant }))

/** Of what is there in the database, and what its programs ask for. Each has a database of its own. */
export const shapes = ['plain', 'one_organisation', 'welfare'] as const
export type Shape = (typeof shapes)[number]

type Money = Pick<BenchOptions, 'cards'>

/** What only matters to the limits: it is never reached. */
const amply = '100000000000000000'

const programsOf: Readonly<Record<Shape, readonly object[]>> = {
  plain: [{ code: 'credit', kind: 'credit' }],
  one_organisation: [
    {
      code: 'credit',
      kind: 'welfare',
      terms: { limits: [{ of: 'organisation', per: 'day', amount: amply, count: 1_000_000_000 }] },
    },
  ],
  // Three lots and four limits; the first pays half of each purchase at most, so that each is paid by two of them.
  welfare: [
    {
      code: 'food',
      kind: 'welfare',
      terms: {
        priority: 0,
        purchase: { sharePercent: 50 },
        limits: [
          { of: 'account', per: 'day', amount: amply, count: 1_000_000_000 },
          { of: 'account', per: 'persian_month', amount: amply },
        ],
      },
    },
    {
      code: 'travel',
      kind: 'welfare',
      terms: { priority: 1, limits: [{ of: 'merchant', per: 'week', count: 1_000_000_000 }] },
    },
    { code: 'books', kind: 'welfare', terms: { priority: 2, limits: [{ of: 'holder', per: 'day', amount: amply }] } },
  ],
}

/** `demo.json` with this many cards, and so many terminals of different merchants and of one. */
export function benchTenant(shape: Shape, terminals: number, { cards }: Money): object {
  const programs = programsOf[shape] as readonly { code: string }[]
  const amount = String(Math.min(loadPerLotMax, Math.floor(fundsMax / (cards * programs.length))))
  const merchants = Map.groupBy([...anyTills(terminals), ...hotTills(terminals)], till => till.merchant)
  return {
    code: tenantCode,
    name: 'Benchmark',
    timeZone: 'Asia/Tehran',
    cutOverSeconds: 0,
    currency: { ...currency, scale: 0 },
    organisations: [{ code: 'bench', name: 'Benchmark' }],
    programs,
    merchants: [...merchants].map(([code, tills]) => ({
      code,
      name: `Merchant ${code}`,
      terminals: tills.map(till => ({ code: till.terminal, confirmation: 'explicit', partial: false })),
    })),
    apiKeys: [
      { key: apiKey, label: 'Benchmark', scopes: ['transactions:write', 'transactions:read'], merchants: ['*'] },
    ],
    cards: { bin: cardBin, count: cards },
    loads: programs.map(({ code }) => ({ program: code, funder: 'bench', toCard: cards, amount })),
  }
}
