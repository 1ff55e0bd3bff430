import { afterAll, beforeAll, expect } from 'vitest'
import { defaultFraming } from '../../src/codec/framing.ts'
import { panToken } from '../../src/crypto/hash.ts'
import { connectIsoClient, type IsoClient } from '../../src/iso8583/client.ts'
import { createIsoServer, type IsoServer } from '../../src/iso8583/server.ts'
import { nowMicros } from '../../src/ops/clock.ts'
import { dialect, panKey } from './iso-server.ts'
import { startLedger, type TestLedger, tokenOf } from './switch.ts'
import { type Elements, elementsOf, messageOf, originalElements, panOfCard, terminalOne } from './terminal.ts'

const cards = 30
let ledger: TestLedger
let server: IsoServer
/** Of the listener, and of one whose requests are known by the terminal's local time. */
export let port: number
export let localPort: number
let client: IsoClient

/** For all tests of a file that calls this: cards that have PANs, an engine, and a server with a client. */
export function useIsoLedger(): void {
  beforeAll(async () => {
    ledger = await startLedger({ cards })
    for (let n = 1; n <= cards; n++) {
      const tokens = [panToken(panOfCard(n), panKey), tokenOf(n)]
      await ledger.pool.query('UPDATE cards SET token = $1 WHERE token = $2', tokens)
    }
    const quiet = () => undefined
    // Collisions of keys are what half of these tests are about: the engine runs such a batch again.
    const engine = ledger.engine({ events: { batch: quiet, fault: quiet, away: quiet, back: quiet } })
    const { tenant } = ledger.catalog
    const listener = { port: 0, framing: defaultFraming, dialect, tenant: tenant.id }
    server = createIsoServer({
      listeners: [listener, { ...listener, identity: 'local' }],
      submit: engine,
      pressure: engine,
      panKey,
      log: { debug: quiet, info: quiet, warn: quiet, error: fields => console.error(fields) },
      onExchange: quiet,
      tenantOf: id => (id === tenant.id ? tenant : undefined),
      now: nowMicros,
    })
    ;[port, localPort] = (await server.listen()) as [number, number]
    client = await connectIsoClient({ host: '127.0.0.1', port, dialect })
  })
  afterAll(async () => {
    await client?.close()
    await server?.close(1000)
    await ledger?.close()
  })
}

let stan = 0
export const nextStan = (): string => String(++stan).padStart(6, '0')
export const sentAt = new Date(nowMicros() / 1000)
  .toISOString()
  .replace(/^.{5}(..)-(..)T(..):(..):(..).*$/, '$1$2$3$4$5')

/** Elements of a new request: card 1, 1,000 rials, the first terminal, a new STAN. */
export const fresh = (over: Elements = {}): Elements => ({
  2: panOfCard(1),
  3: '000000',
  4: '000000001000',
  7: sentAt,
  11: nextStan(),
  41: terminalOne,
  42: 'M00000000000001',
  49: '364',
  ...over,
})

export async function send(mti: string, elements: Elements): Promise<Record<number, string>> {
  const reply = await client.send(messageOf(mti, elements))
  return { 0: reply.mti, ...elementsOf(reply) }
}

/** A follow-up to `original`, without its card. */
export const about = (mti: string, original: Elements, over: Elements = {}): Elements =>
  fresh({ 2: undefined, 90: originalElements(mti, original[11]!, original[7]!), ...over })

export async function purchase(over: Elements = {}): Promise<Elements> {
  const elements = fresh(over)
  expect(await send('0200', elements)).toMatchObject({ 39: '00' })
  return elements
}

/** What could be spent by card `n`, from DE54. */
export async function spendable(n: number): Promise<bigint> {
  const reply = await send('0200', fresh({ 2: panOfCard(n), 3: '310000', 4: undefined }))
  expect(reply).toMatchObject({ 39: '00' })
  return BigInt(reply[54]!.slice(28, 40))
}
