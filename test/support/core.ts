import type { Catalog, Funder, Merchant, Program, Tenant, Terminal } from '../../src/core/catalog.ts'
import type {
  Adjust,
  Authorize,
  Breakage,
  Clawback,
  Command,
  Confirm,
  Deposit,
  Expire,
  Inquire,
  Load,
  Note,
  Original,
  Refund,
  Reverse,
  Settle,
  Transfer,
} from '../../src/core/commands.ts'
import { type Micros, microsPerDay, microsPerSecond } from '../../src/core/ids.ts'
import { breakageKey, switchKey } from '../../src/core/keys.ts'
import type { Lot } from '../../src/core/ledger.ts'
import { type Limit, openTerms, type Terms } from '../../src/core/terms.ts'
import type { Card } from '../../src/core/transactions.ts'

/** 2026-03-21 08:00 in Tehran: Nowruz. */
export const startOfTime: Micros = Date.UTC(2026, 2, 21, 4, 30) * 1000
export const second = microsPerSecond
export const day = microsPerDay

export const payables = { M1: -11, M2: -12 } as const
export const funding = { bazaar: -21, union: -22 } as const
export const clearing = -31
export const breakageAccount = -32
export const fees = -33

const byCode = <Item extends { code: string }>(items: readonly Item[]): Map<string, Item> =>
  new Map(items.map(item => [item.code, item]))
const byId = <Item extends { id: number }>(items: readonly Item[]): Map<number, Item> =>
  new Map(items.map(item => [item.id, item]))

const rial = { id: 1, code: 'IRR', numeric: '364', scale: 0 }
const points = { id: 2, code: 'PTS', numeric: null, scale: 0 }
const plainMerchant = { category: null, groups: [], isSuspended: false, fee: { millionths: 0, each: 0n } }
const merchants: readonly Merchant[] = [
  { ...plainMerchant, id: 1, code: 'M1', name: 'One', payable: payables.M1 },
  { ...plainMerchant, id: 2, code: 'M2', name: 'Two', payable: payables.M2 },
]
const explicit = {
  confirmation: 'explicit',
  partial: false,
  confirmWithinSeconds: null,
  operations: null,
  isSuspended: false,
} as const
const terminals: readonly Terminal[] = [
  { ...explicit, id: 1, code: 'T1', merchant: 1 },
  { ...explicit, id: 2, code: 'T2', merchant: 1, confirmation: 'implicit', partial: true },
  { ...explicit, id: 3, code: 'T3', merchant: 2 },
  { ...explicit, id: 4, code: 'T4', merchant: 1, confirmWithinSeconds: 60 },
]
export const programIds = { credit: 1, welfare: 2, gift: 3 } as const

/** A program that has had these terms for ever; what is not given is open. */
export const program = (id: number, kind: Program['kind'], terms: Partial<Terms>, code: string = kind): Program => ({
  id,
  code,
  name: code,
  kind,
  asset: rial.id,
  funder: null,
  isClosed: false,
  versions: [{ version: 1, startsAt: 0, terms: { ...openTerms, ...terms } }],
})
/** A limit of the day, with neither amount nor count unless given. */
export const limitOf = (of: Limit['of'], over: Partial<Limit>): Limit => ({
  of,
  per: 'day',
  hours: null,
  amount: null,
  count: null,
  ...over,
})
/** Rules of one purchase; what is not given is open. */
export const purchaseRule = (over: Partial<Terms['purchase']>): Partial<Terms> => ({
  purchase: { ...openTerms.purchase, ...over },
})

const programs: readonly Program[] = [
  program(programIds.credit, 'credit', { priority: 20 }),
  program(programIds.welfare, 'welfare', { priority: 0 }),
  program(programIds.gift, 'gift', { priority: 10, confirmWithinSeconds: 120 }),
]
const unlimited = {
  contract: 'unlimited',
  creditLimit: 0n,
  contractFrom: null,
  contractUntil: null,
  isSuspended: false,
} as const
const funders: readonly Funder[] = [
  { ...unlimited, id: 1, code: 'bazaar', name: 'Bazaar', account: funding.bazaar },
  { ...unlimited, id: 2, code: 'union', name: 'Union', account: funding.union },
]
const tenant: Tenant = {
  id: 7,
  code: 'bazaar',
  currency: rial,
  timeZone: 'Asia/Tehran',
  cutOverSeconds: 0,
  clearingAccount: clearing,
  breakageAccount,
  feesAccount: fees,
  calendar: 'persian',
  holidays: new Set(),
}

/** Two merchants; T1 explicit, T2 implicit with partial approval and T4 (60 s) of M1, T3 of M2; three programs. */
export const catalog: Catalog = catalogWith({})

interface Changes {
  readonly tenant?: Partial<Tenant>
  readonly merchants?: readonly (Partial<Merchant> & { readonly id: number })[]
  readonly terminals?: readonly (Partial<Terminal> & { readonly id: number })[]
  /** In place of those with the same id, or beside them. */
  readonly programs?: readonly Program[]
  readonly funders?: readonly (Partial<Funder> & { readonly id: number })[]
}

/** The catalog with something else in it. */
export function catalogWith(changes: Changes): Catalog {
  const changed = <Item extends { id: number }>(items: readonly Item[], some: Changes[keyof Changes] = []): Item[] =>
    items.map(item => ({ ...item, ...(some as Partial<Item>[]).find(({ id }) => id === item.id) }))
  const changedMerchants = changed(merchants, changes.merchants)
  const changedTerminals = changed(terminals, changes.terminals)
  return {
    tenant: { ...tenant, ...changes.tenant },
    merchantsByCode: byCode(changedMerchants),
    merchantsById: byId(changedMerchants),
    terminalsByCode: byCode(changedTerminals),
    terminalsById: byId(changedTerminals),
    programsById: byId([...programs, ...(changes.programs ?? [])]),
    fundersById: byId(changed(funders, changes.funders)),
    assetsById: byId([rial, points]),
  }
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
  sweepDue: over.expiresAt ?? null,
  isFrozen: false,
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
  basket: null,
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

const noNote: Note = { reason: null, reference: null, actor: null }

/** A new lot of credit. */
export const load = (holder: number, amount: bigint, over: Partial<Load> = {}): Load => ({
  kind: 'load',
  ...request(),
  holder,
  program: programIds.credit,
  funder: 1,
  amount,
  expiresAt: 'terms',
  note: noNote,
  ...over,
})

export const adjust = (holder: number, id: number, amount: bigint, over: Partial<Adjust> = {}): Adjust => ({
  kind: 'adjust',
  ...request(),
  holder,
  lot: id,
  amount,
  note: noNote,
  ...over,
})

export const clawback = (holder: number, amount: bigint | null, over: Partial<Clawback> = {}): Clawback => ({
  kind: 'clawback',
  ...request(),
  holder,
  program: programIds.credit,
  funder: null,
  amount,
  note: noNote,
  ...over,
})

export const transfer = (from: readonly [number, number], to: readonly [number, number], amount: bigint | null) => {
  const [[holder, program], [toHolder, toProgram]] = [from, to]
  const command: Transfer = {
    kind: 'transfer',
    ...request(),
    holder,
    program,
    toHolder,
    toProgram,
    amount,
    note: noNote,
  }
  return command
}

export const breakage = (holder: number, id: number, due: Micros): Breakage => ({
  kind: 'breakage',
  ...request(),
  channel: 'switch',
  key: breakageKey(id, due),
  holder,
  lot: id,
})

export const deposit = (organisation: number, amount: bigint): Deposit => ({
  kind: 'deposit',
  ...request(),
  organisation,
  amount,
  note: noNote,
})

export const settle = (merchant: string, net: bigint, fee = 0n): Settle => ({
  kind: 'settle',
  ...request(),
  channel: 'switch',
  merchant,
  net,
  fee,
})
