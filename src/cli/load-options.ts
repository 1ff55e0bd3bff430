import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type CardSet, type LoadSpec, type MixName, mixes, slotsPerConnectionMax, type Till } from '../load/spec.ts'

export const loadUsage = `Usage: charsu load --target HOST:PORT (--rate N | --in-flight N) [options]

Sends purchases to a running switch and tells how fast it answered. By default one of the demo tenant, on this machine:
it moves money on every card that it is given.

  --target HOST:PORT   where the switch is
  --protocol NAME      iso (ISO 8583, dialect iso87a, 2-byte length) or http (iso)
  --rate N             open loop: N transactions begin each second, whatever the switch does; latency is from when each
                       was due, so a stall is seen by all that were due in it (no coordinated omission)
  --in-flight N        closed loop: N transactions at once, the next when one has ended
  --mix NAME           ${Object.keys(mixes).join(', ')} (authorize-confirm)
  --duration S         seconds that are measured, 1 to 3600 (10)
  --warm-up S          seconds before that, 0 to 600 (2)
  --connections N      1 to 1024 (16 for iso; for http as many as --in-flight, else 64)
  --cards CARDS        BIN:FIRST-LAST, serial numbers with a Luhn digit behind, or @FILE with a number of 16 digits a
                       line (936400:1-1000)
  --terminals LIST     TERMINAL@MERCHANT, several with commas, or @FILE with one a line
                       (T0000001@M00000000000001,T0000003@M00000000000002); they must confirm explicitly
  --amount-max N       amounts are 1,000 to this, in steps of 1,000 (500000)
  --currency CODE/NUMBER   (IRR/364)
  --api-key KEY        for http; or @FILE (demo-pos-key)
  --tls                TLS; --ca FILE: who signed the switch's certificate
  --seed N             the same seed draws the same cards and amounts (1)
  --json               print JSON
  --i-may-load-this-host   without it only this machine may be the target

Ends with 0 if all was answered, 1 if requests got lost or got no answer, 2 if the command is wrong or nothing listens.`

const options = {
  target: { type: 'string' },
  protocol: { type: 'string', default: 'iso' },
  rate: { type: 'string' },
  'in-flight': { type: 'string' },
  mix: { type: 'string', default: 'authorize-confirm' },
  duration: { type: 'string', default: '10' },
  'warm-up': { type: 'string', default: '2' },
  connections: { type: 'string' },
  cards: { type: 'string', default: '936400:1-1000' },
  terminals: { type: 'string', default: 'T0000001@M00000000000001,T0000003@M00000000000002' },
  'amount-max': { type: 'string', default: '500000' },
  currency: { type: 'string', default: 'IRR/364' },
  'api-key': { type: 'string', default: 'demo-pos-key' },
  tls: { type: 'boolean', default: false },
  ca: { type: 'string' },
  seed: { type: 'string', default: '1' },
  json: { type: 'boolean', default: false },
  'i-may-load-this-host': { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

const connectionsMax = 1_024
const cardsMax = 20_000_000
const httpConnectionsByDefault = 64
const isoConnectionsByDefault = 16
/** A till that finds no free connection in this time gives up. */
const patienceMs = 10_000

export interface LoadOrder {
  readonly spec: LoadSpec
  readonly mix: MixName
  readonly json: boolean
}

/** Null: only help was asked for. Throws an Error with a sentence for whoever typed it. */
export function parseLoad(args: readonly string[]): LoadOrder | null {
  const { values } = parseArgs({ args: [...args], options })
  if (values.help) return null
  const { host, port } = targetOf(values.target)
  if (!isLoopback(host) && !values['i-may-load-this-host']) {
    throw new Error(`${host} is not this machine: say --i-may-load-this-host if you may load it`)
  }
  const protocol = oneOf('--protocol', values.protocol, ['iso', 'http'])
  const inFlight = optional('--in-flight', values['in-flight'], connectionsMax * slotsPerConnectionMax)
  const rate = optional('--rate', values.rate, 100_000)
  if ((inFlight === null) === (rate === null)) throw new Error('say either --rate or --in-flight')
  const byDefault =
    protocol === 'http'
      ? Math.min(connectionsMax, inFlight ?? httpConnectionsByDefault)
      : Math.min(inFlight ?? isoConnectionsByDefault, isoConnectionsByDefault)
  const connections = optional('--connections', values.connections, connectionsMax) ?? byDefault
  const most = connections * (protocol === 'http' ? 1 : slotsPerConnectionMax)
  if (inFlight !== null && inFlight > most) throw new Error(`${connections} connections have at most ${most} in flight`)
  if (inFlight !== null && inFlight < connections) throw new Error('--in-flight must not be less than --connections')
  const mix = oneOf('--mix', values.mix, Object.keys(mixes) as MixName[])
  const [code, numeric, ...more] = values.currency.split('/')
  if (!/^[!-~]{1,8}$/.test(code ?? '') || !/^\d{3}$/.test(numeric ?? '') || more.length > 0) {
    throw new Error('--currency must be CODE/NUMBER, such as IRR/364')
  }
  const { ca } = values
  return {
    mix,
    json: values.json,
    spec: {
      ...{ protocol, host, port, connections, mix: mixes[mix], hotCardPart: 0 },
      tls: values.tls || ca !== undefined ? { ca: ca === undefined ? null : readFileSync(ca, 'utf8') } : null,
      tills: tillsOf(values.terminals),
      cards: cardsOf(values.cards),
      amountMax: integer('--amount-max', values['amount-max'], 1_000, 1_000_000_000),
      currency: { code: code as string, numeric: numeric as string },
      apiKey: textOf(values['api-key']),
      pace:
        rate === null
          ? { kind: 'closed', inFlight: inFlight as number }
          : { kind: 'open', rates: [{ perSecond: rate, ms: 0 }], patienceMs },
      warmupMs: 1000 * integer('--warm-up', values['warm-up'], 0, 600),
      measureMs: 1000 * integer('--duration', values.duration, 1, 3_600),
      seed: integer('--seed', values.seed, 0, 999_999_999),
    },
  }
}

function targetOf(text: string | undefined): { host: string; port: number } {
  const [, host, port] = /^(?:tcp:\/\/|https?:\/\/)?(\[[0-9a-fA-F:]+\]|[^:/]+):(\d{1,5})\/?$/.exec(text ?? '') ?? []
  if (host === undefined || port === undefined) throw new Error('--target must be HOST:PORT')
  return { host: host.replace(/^\[|\]$/g, ''), port: integer('--target', port, 1, 65_535) }
}

/** By its name: what a name resolves to may change before the first connection. */
const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)

function cardsOf(text: string): CardSet {
  if (text.startsWith('@')) {
    const pans = linesOf(text)
    if (pans.length === 0 || pans.some(pan => !/^\d{16}$/.test(pan))) {
      throw new Error('--cards: the file must have a card number of 16 digits on each line')
    }
    return { kind: 'list', pans }
  }
  const [, bin, from, to] = /^(\d{6}):(\d{1,9})-(\d{1,9})$/.exec(text) ?? []
  if (bin === undefined || from === undefined || to === undefined) {
    throw new Error('--cards must be BIN:FIRST-LAST, such as 936400:1-1000, or @FILE')
  }
  const first = Number.parseInt(from, 10)
  const count = Number.parseInt(to, 10) - first + 1
  if (count < 1 || count > cardsMax) throw new Error(`--cards must be from 1 to ${cardsMax} cards`)
  return { kind: 'range', bin, first, count }
}

function tillsOf(text: string): Till[] {
  const items = text.startsWith('@') ? linesOf(text) : text.split(',')
  return items.map(item => {
    const [, terminal, merchant] = /^([!-~]{1,8})@([!-~]{1,15})$/.exec(item) ?? []
    if (terminal === undefined || merchant === undefined || /["\\]/.test(item)) {
      throw new Error(`--terminals: "${item}" is not TERMINAL@MERCHANT`)
    }
    return { terminal, merchant }
  })
}

const linesOf = (at: string): string[] =>
  readFileSync(at.slice(1), 'utf8')
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')

const textOf = (text: string): string => (text.startsWith('@') ? readFileSync(text.slice(1), 'utf8').trim() : text)

function oneOf<Name extends string>(option: string, text: string, names: readonly Name[]): Name {
  const name = names.find(one => one === text)
  if (name === undefined) throw new Error(`${option} must be one of ${names.join(', ')}`)
  return name
}

const optional = (option: string, text: string | undefined, most: number): number | null =>
  text === undefined ? null : integer(option, text, 1, most)

function integer(option: string, text: string, least: number, most: number): number {
  const value = /^\d{1,10}$/.test(text) ? Number.parseInt(text, 10) : -1
  if (value < least || value > most) throw new Error(`${option} must be from ${least} to ${most}, not "${text}"`)
  return value
}
