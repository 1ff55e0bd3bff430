import type { Catalog } from '../../src/core/catalog.ts'
import type {
  Authorize,
  Command,
  Confirm,
  Expire,
  Inquire,
  Load,
  Original,
  Refund,
  Reverse,
  Settle,
} from '../../src/core/commands.ts'
import { type Micros, microsPerDay, microsPerSecond } from '../../src/core/ids.ts'
import { switchKey } from '../../src/core/keys.ts'
import type { Lot } from '../../src/core/ledger.ts'
import type { Card } from '../../src/core/transactions.ts'

/** 2026-03-21 08:00 in Tehran: Nowruz. */
export const startOfTime: Micros = Date.UTC(2026, 2, 21, 4, 30) * 1000
export const second = microsPerSecond
export const day = microsPerDay

export const payables = { M1: -11, M2: -12 } as const
export const funding = { bazaar: -21, union: -22 } as const
export const clearing = -31

const byCode = <Item extends { code: string }>(items: readonly Item[]): Map<string, Item> =>
  new Map(items.map(item => [item.code, item]))
const byId = <Item extends { id: number }>(items: readonly Item[]): Map<number, Item> =>
  new Map(items.map(item => [item.id, item]))

const rial = { id: 1, code: 'IRR', numeric: '364', scale: 0 }
const points = { id: 2, code: 'PTS', numeric: null, scale: 0 }
const merchants = [
  { id: 1, code: 'M1', name: 'One', payable: payables.M1 },
  { id: 2, code: 'M2', name: 'Two', payable: payables.M2 },
]
const explicit = { confirmation: 'explicit', partial: false, confirmWithinSeconds: null } as const
const terminals = [
  { id: 1, code: 'T1', merchant: 1, ...explicit },
  { id: 2, code: 'T2', merchant: 1, ...explicit, confirmation: 'implicit', partial: true } as const,
  { id: 3, code: 'T3', merchant: 2, ...explicit },
  { id: 4, code: 'T4', merchant: 1, ...explicit, confirmWithinSeconds: 60 },
]
export const programIds = { credit: 1, welfare: 2, gift: 3 } as const
const programs = [
  { id: programIds.credit, code: 'credit', kind: 'credit', priority: 20, confirmWithinSeconds: null } as const,
  { id: programIds.welfare, code: 'welfare', kind: 'welfare', priority: 0, confirmWithinSeconds: null } as const,
  { id: programIds.gift, code: 'gift', kind: 'gift', priority: 10, confirmWithinSeconds: 120 } as const,
]
const funders = [
  { id: 1, code: 'bazaar', account: funding.bazaar },
  { id: 2, code: 'union', account: funding.union },
]

/** Two merchants; T1 explicit, T2 implicit with partial approval and T4 (60 s) of M1, T3 of M2; three programs. */
export const catalog: Catalog = {
  tenant: {
    id: 7,
    code: 'bazaar',
    currency: rial,
    timeZone: 'Asia/Tehran',
    cutOverSeconds: 0,
    clearingAccount: clearing,
  },
  merchantsByCode: byCode(merchants),
  merchantsById: byId(merchants),
  terminalsByCode: byCode(terminals),
  terminalsById: byId(terminals),
  programsById: byId(programs),
  fundersById: byId(funders),
  assetsById: byId([rial, points]),
}

/** Token of card `n`; its first byte, which makes the shard, differs from card to card. */
export const cardToken = (n: number): string => `${n.toString(16).padStart(2, '0').slice(-2).padEnd(30, '0')}0f`

export const card = (n: number, over: Partial<Card> = {}): Card => ({
  token: cardToken(n),
  holder: n,
  status: 'active',
  expiresAt: null,
  pinTries: 0,
  ...over,
})

/** A lot of `holder` with `balance` loaded. */
export const lot = (id: number, holder: number, balance: bigint, over: Partial<Lot> = {}): Lot => ({
  id,
  holder,
  program: programIds.credit,
  funder: 1,
  asset: 1,
  debitsPending: 0n,
  debitsPosted: 0n,
  creditsPending: 0n,
  creditsPosted: balance,
  limit: 0n,
  expiresAt: null,
  ...over,
})

let serial = 0
/** A key that no other has: of an API client. */
export const newKey = (): string => `80000001${(serial++).toString(16).padStart(24, '0')}`

const request = (): Pick<Command, 'tenant' | 'channel' | 'key' | 'day' | 'content'> => ({
  tenant: catalog.tenant.id,
  channel: 'api',
  key: newKey(),
  day: null,
  content: 'aa',
})

export const authorize = (amount: bigint, over: Partial<Authorize> = {}): Authorize => ({
  kind: 'authorize',
  ...request(),
  merchant: 'M1',
  terminal: 'T1',
  card: cardToken(1),
  currency: 'IRR',
  amount,
  purpose: 'purchase',
  capture: false,
  partial: false,
  eligibleAmount: null,
  confirmWithinSeconds: null,
  reference: null,
  rrn: null,
  stan: null,
  ...over,
})

/** A number names the original by its id, a text of 32 digits by its key, any other by its bill at M1. */
export type Named = number | string | Original
export function originalOf(named: Named): Original {
  if (typeof named === 'number') return { by: 'id', id: named }
  if (typeof named !== 'string') return named
  if (/^[0-9a-f]{32}$/.test(named)) return { by: 'key', key: named, day: null }
  return { by: 'reference', merchant: 'M1', reference: named }
}

const followUp = (original: Named) => ({
  ...request(),
  original: originalOf(original),
  merchants: '*' as const,
  card: null,
  currency: null,
})

export const confirm = (original: Named, amount: bigint | null = null, over: Partial<Confirm> = {}): Confirm => ({
  kind: 'confirm',
  ...followUp(original),
  amount,
  ...over,
})

/** `off`: null takes all of it off. */
export const reverse = (original: Named, off: bigint | null = null, over: Partial<Reverse> = {}): Reverse => ({
  kind: 'reverse',
  ...followUp(original),
  extent: off === null ? { by: 'all' } : { by: 'off', amount: off },
  originalAmount: null,
  ...over,
})

export const refund = (original: Named, amount: bigint | null = null, over: Partial<Refund> = {}): Refund => ({
  kind: 'refund',
  ...followUp(original),
  amount,
  terminal: null,
  rrn: null,
  stan: null,
  ...over,
})

export const expire = (id: number, over: Partial<Expire> = {}): Expire => ({
  kind: 'expire',
  ...request(),
  channel: 'switch',
  key: switchKey('expire', id),
  id,
  ...over,
})

export const inquire = (over: Partial<Inquire> = {}): Inquire => ({
  kind: 'inquire',
  ...request(),
  merchant: 'M1',
  terminal: 'T1',
  card: cardToken(1),
  currency: '364',
  ...over,
})

export const load = (holder: number, id: number, amount: bigint, over: Partial<Load> = {}): Load => ({
  kind: 'load',
  ...request(),
  channel: 'switch',
  holder,
  lot: id,
  amount,
  ...over,
})

export const settle = (merchant: string, net: bigint): Settle => ({
  kind: 'settle',
  ...request(),
  channel: 'switch',
  merchant,
  net,
})
