import fc from 'fast-check'
import type { Catalog } from '../../src/core/catalog.ts'
import type { Command, Original } from '../../src/core/commands.ts'
import { dayOfMicros, type Micros, rrnOf } from '../../src/core/ids.ts'
import { switchKey, terminalKey, terminalKeyRange } from '../../src/core/keys.ts'
import { adjust, authorize, confirm, expire, inquire, newKey, refund, reverse } from './core.ts'

/** A step of a random run. Earlier steps are meant by how long ago they were, so that any part of a run is a run. */
export type Step =
  | {
      readonly kind: 'authorize'
      readonly card: number
      readonly amount: bigint
      readonly at: number
      readonly channel: 'api' | 'terminal'
      readonly preauthorization: boolean
      readonly capture: boolean
      readonly partial: boolean
      readonly eligible: bigint | null
      readonly within: number | null
      readonly bill: number | null
      readonly rrn: boolean
      readonly currency: string
    }
  | {
      readonly kind: 'confirm' | 'reverse' | 'refund'
      readonly of: number
      /** `of` counts only the requests that open something. */
      readonly name: 'id' | 'key' | 'keyRange' | 'rrn' | 'reference'
      readonly channel: 'api' | 'terminal'
      readonly amount: bigint | null
      readonly to: boolean
      readonly says: boolean
      readonly elsewhere: boolean
      readonly card: number | null
    }
  | { readonly kind: 'expire'; readonly of: number }
  | { readonly kind: 'inquire'; readonly card: number; readonly at: number }
  | { readonly kind: 'adjust'; readonly lot: number; readonly amount: bigint }
  | { readonly kind: 'again'; readonly of: number; readonly altered: boolean }
  /** An authorize that is sent after the reverse that names it. */
  | { readonly kind: 'overtaken'; readonly card: number; readonly amount: bigint; readonly byBill: boolean }
  | { readonly kind: 'close'; readonly merchant: number }
  | { readonly kind: 'pass'; readonly seconds: number }

export const stepOf = (options: { cards: number; lots: number; amountMax: bigint; passes: boolean }) => {
  const { cards, lots, amountMax } = options
  const amount = fc.oneof(
    { weight: 12, arbitrary: fc.bigInt(1n, amountMax) },
    { weight: 1, arbitrary: fc.constant(0n) },
  )
  /** Null in half of the cases, or in one of `freq`. */
  const some = <Item>(item: fc.Arbitrary<Item>, freq = 2): fc.Arbitrary<Item | null> =>
    fc.option(item, { freq, nil: null })
  const rarely = fc.integer({ min: 0, max: 5 }).map(number => number === 5)
  const card = fc.nat(cards - 1)
  const at = fc.nat(35)
  const of = fc.oneof({ weight: 3, arbitrary: fc.nat(4) }, { weight: 1, arbitrary: fc.nat(200) })
  const channel = fc.constantFrom('api', 'api', 'terminal', 'terminal', 'terminal') as fc.Arbitrary<'api' | 'terminal'>
  const followUp = <Kind extends 'confirm' | 'reverse' | 'refund'>(kind: Kind) =>
    fc.record({
      kind: fc.constant(kind),
      of,
      name: fc.constantFrom('id', 'id', 'key', 'key', 'keyRange', 'rrn', 'reference'),
      channel,
      amount: some(amount),
      to: fc.boolean(),
      says: rarely,
      elsewhere: rarely,
      card: rarely.map(is => (is ? 0 : null)),
    }) as fc.Arbitrary<Step>
  const steps: fc.WeightedArbitrary<Step>[] = [
    {
      weight: 10,
      arbitrary: fc.record({
        kind: fc.constant('authorize'),
        card,
        amount,
        at,
        channel,
        preauthorization: rarely,
        capture: fc.boolean(),
        partial: fc.boolean(),
        eligible: some(fc.bigInt(0n, amountMax)),
        within: fc.constantFrom(null, null, null, ...(options.passes ? [1, 60] : [0])),
        bill: fc.option(fc.nat(3), { freq: 2, nil: null }),
        rrn: rarely,
        currency: fc.oneof(
          { weight: 30, arbitrary: fc.constantFrom('IRR', '364') },
          { weight: 1, arbitrary: fc.constant('EUR') },
        ),
      }) as fc.Arbitrary<Step>,
    },
    { weight: 6, arbitrary: followUp('confirm') },
    { weight: 6, arbitrary: followUp('reverse') },
    { weight: 4, arbitrary: followUp('refund') },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('expire'), of }) as fc.Arbitrary<Step> },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('inquire'), card, at }) as fc.Arbitrary<Step> },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('adjust'), lot: fc.nat(lots - 1), amount }) as fc.Arbitrary<Step>,
    },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('again'), of, altered: rarely }) as fc.Arbitrary<Step>,
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('overtaken'),
        card,
        amount,
        byBill: fc.boolean(),
      }) as fc.Arbitrary<Step>,
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('close'), merchant: fc.nat(1) }) as fc.Arbitrary<Step> },
  ]
  if (options.passes) {
    const seconds = fc.constantFrom(1, 59, 61, 130, 901)
    steps.push({ weight: 2, arbitrary: fc.record({ kind: fc.constant('pass'), seconds }) as fc.Arbitrary<Step> })
  }
  return fc.oneof(...steps)
}

/** What the steps are made of: codes of the ledger they are played on. */
export interface Stage {
  readonly catalog: Catalog
  readonly tokens: readonly string[]
  readonly lots: readonly { readonly id: number; readonly holder: number }[]
  /** Merchant and terminal, some of them wrong. */
  readonly places: readonly (readonly [merchant: string, terminal: string])[]
  /** Each script has its own terminal numbers, keys and bills on a ledger that others have used. */
  readonly prefix: number
  /** Commands meet on several lanes: what names its original by DE37, or without a time, comes after its answer. */
  readonly isConcurrent: boolean
}

/** Makes commands of steps, with what earlier ones were answered. */
export class Script {
  readonly #stage: Stage
  readonly #sent: Command[] = []
  readonly #opens: Command[] = []
  readonly #ids = new Map<string, number>()
  #stan = 0

  constructor(stage: Stage) {
    this.#stage = stage
  }

  note(command: Command, transaction: number | null): void {
    if (transaction !== null) this.#ids.set(command.key, transaction)
  }

  /** The commands of a step, none where it has nothing to be about. */
  commandsOf(step: Exclude<Step, { kind: 'close' | 'pass' }>, at: Micros): Command[] {
    const commands = this.#make(step, at)
    for (const command of commands) {
      this.#sent.push(command)
      if (command.kind === 'authorize' || command.kind === 'refund') this.#opens.push(command)
    }
    return commands
  }

  #request(
    channel: 'api' | 'terminal',
    place: readonly [string, string],
    step: 'open' | 'confirm' | 'reverse',
    at: Micros,
  ) {
    const tenant = this.#stage.catalog.tenant.id
    const [merchant, terminal] = place
    if (channel === 'api') return { tenant, channel, key: newKey(), day: null, merchants: '*' as const }
    this.#stan += 1
    const stan = this.#stan
    const key = terminalKey({ terminal, merchant, step, stan, sentAt: this.#stage.prefix })
    return { tenant, channel, key, day: dayOfMicros(at), merchants: [merchant] }
  }

  #make(step: Exclude<Step, { kind: 'close' | 'pass' }>, at: Micros): Command[] {
    const { tokens, lots } = this.#stage
    switch (step.kind) {
      case 'authorize':
        return [this.#authorize(step, at)]
      case 'inquire': {
        const place = this.#place(step.at)
        const { merchants: _, ...request } = this.#request('api', place, 'open', at)
        return [inquire({ ...request, merchant: place[0], terminal: place[1], card: tokens[step.card] as string })]
      }
      case 'adjust': {
        const lot = lots[step.lot] as Stage['lots'][number]
        const { tenant } = this.#stage.catalog
        return [adjust(lot.holder, lot.id, step.amount, { tenant: tenant.id })]
      }
      case 'expire': {
        const id = this.#ids.get(ago(this.#opens, step.of)?.key ?? '')
        if (id === undefined) return []
        const key = switchKey('expire', id * 100 + this.#sent.length)
        return [expire(id, { tenant: this.#stage.catalog.tenant.id, key })]
      }
      case 'again': {
        const command = ago(this.#sent, step.of)
        return command === undefined ? [] : [step.altered ? { ...command, content: 'bb' } : command]
      }
      case 'overtaken':
        return this.#overtaken(step, at)
      default:
        return this.#followUp(step, at)
    }
  }

  #authorize(step: Step & { kind: 'authorize' }, at: Micros): Command {
    const place = this.#place(step.at)
    const { merchants: _, ...request } = this.#request(step.channel, place, 'open', at)
    const isApi = step.channel === 'api'
    const serial = this.#sent.length
    const { prefix, isConcurrent } = this.#stage
    return authorize(step.amount, {
      ...request,
      merchant: place[0],
      terminal: place[1],
      card: this.#stage.tokens[step.card] as string,
      currency: step.currency,
      purpose: step.preauthorization ? 'preauthorization' : 'purchase',
      capture: isApi ? step.capture : step.preauthorization ? false : 'terminal',
      partial: isApi ? step.partial : 'terminal',
      eligibleAmount: isApi ? step.eligible : null,
      confirmWithinSeconds: step.within,
      reference: isApi && step.bill !== null ? this.#bill(step.bill) : null,
      rrn: !isApi && step.rrn ? `R${prefix}-${isConcurrent ? serial : serial % 5}` : null,
    })
  }

  #overtaken({ card, amount, byBill }: Step & { kind: 'overtaken' }, at: Micros): Command[] {
    const place = this.#place(0)
    const { merchants: _, ...request } = this.#request(byBill ? 'api' : 'terminal', place, 'open', at)
    const reference = byBill ? this.#bill(100 + this.#sent.length) : null
    const late = authorize(amount, {
      ...request,
      merchant: place[0],
      terminal: place[1],
      card: this.#stage.tokens[card] as string,
      reference,
    })
    const original: Original = byBill
      ? { by: 'reference', merchant: place[0], reference: reference as string }
      : { by: 'key', key: late.key, day: late.day }
    return [reverse(original, null, this.#request(late.channel as 'api', place, 'reverse', at)), late]
  }

  #followUp(step: Extract<Step, { name: string }>, at: Micros): Command[] {
    const opener = ago(this.#opens, step.of)
    if (opener === undefined) return []
    // A terminal asks for nothing but a reverse before it has its answer; on another lane it may pass the request by.
    const isEarly = !this.#ids.has(opener.key) && opener.channel === 'terminal' && step.kind !== 'reverse'
    if (this.#stage.isConcurrent && isEarly) return []
    const original = this.#name(opener, step.name)
    const own: readonly [string, string] =
      opener.kind === 'authorize' ? [opener.merchant, opener.terminal] : this.#place(0)
    const place = step.elsewhere ? this.#place(1) : own
    const request = this.#request(step.channel, place, step.kind === 'refund' ? 'open' : step.kind, at)
    const card = step.card === null ? null : (this.#stage.tokens[step.card] as string)
    const over = { ...request, card, currency: step.says && step.kind !== 'reverse' ? 'EUR' : null }
    if (step.kind === 'confirm') return [confirm(original, step.amount, over)]
    if (step.kind === 'refund') {
      const terminal = step.elsewhere ? place[1] : null
      return [refund(original, step.amount, { ...over, terminal })]
    }
    const isTo = step.amount !== null && step.channel === 'terminal'
    const extent = isTo ? { extent: { by: 'to', amount: step.amount } as const } : {}
    const originalAmount = step.says && step.channel === 'terminal' ? 5n : null
    return [reverse(original, step.amount, { ...over, ...extent, originalAmount })]
  }

  #name(opener: Command, name: Extract<Step, { name: string }>['name']): Original {
    const id = this.#ids.get(opener.key)
    const byKey = { by: 'key', key: opener.key, day: opener.day } as const
    if (opener.kind !== 'authorize') return id === undefined ? byKey : { by: 'id', id }
    const { merchant, terminal, reference, rrn } = opener
    if (id === undefined && this.#stage.isConcurrent && name !== 'reference') return byKey
    if (name === 'reference' && reference !== null) return { by: 'reference', merchant, reference }
    if (name === 'rrn' && (id !== undefined || rrn !== null)) {
      return { by: 'rrn', merchant, rrn: rrn ?? rrnOf(id as number) }
    }
    if (name === 'keyRange' && opener.channel === 'terminal') {
      const stan = Number.parseInt(opener.key.slice(16, 21), 16)
      return { by: 'keyRange', ...terminalKeyRange({ terminal, merchant, step: 'open', stan }) }
    }
    return name === 'id' && id !== undefined ? { by: 'id', id } : byKey
  }

  #place = (at: number): readonly [string, string] =>
    this.#stage.places[at % this.#stage.places.length] as [string, string]
  #bill = (number: number): string => `bill-${this.#stage.prefix}-${number}`
}

const ago = <Item>(items: readonly Item[], steps: number): Item | undefined => items.at(-1 - (steps % items.length))
