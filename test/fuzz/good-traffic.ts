import { setTimeout as wait } from 'node:timers/promises'
import type { Dialect } from '../../src/codec/dialect.ts'
import { newMessage } from '../../src/codec/message.ts'
import { cardNumber } from '../../src/core/card-numbers.ts'
import { connectIsoClient, type IsoClient } from '../../src/iso8583/client.ts'

export interface GoodTraffic {
  /** Ends it; rejects if anything of it was not approved in time. */
  stop(): Promise<{ exchanges: number; slowestMs: number }>
}

const pauseMs = 20
const answerMaxMs = 5_000
const demoBin = '936400'
/** Not one of the cards or terminals in the corpus. */
const demoCard = 900
const terminal = 'T0000003'
const merchant = 'M00000000000002'

/** A terminal that buys, undoes it and echoes, on one connection, while others send what they like. */
export async function startGoodTraffic(host: string, port: number, dialect: Dialect): Promise<GoodTraffic> {
  const client = await connectIsoClient({ host, port, dialect, timeoutMs: answerMaxMs })
  let isOver = false
  let failure: unknown
  const done = { exchanges: 0, slowestMs: 0 }
  const running = run(client, done, () => isOver).catch(error => {
    failure = error
  })
  return {
    async stop() {
      isOver = true
      await running
      await client.close()
      if (failure !== undefined) throw new Error('the good traffic was disturbed', { cause: failure })
      return done
    },
  }
}

async function run(client: IsoClient, done: { exchanges: number; slowestMs: number }, isOver: () => boolean) {
  const sentAt = new Date().toISOString().replace(/^.{5}(..)-(..)T(..):(..):(..).*$/, '$1$2$3$4$5')
  for (let stan = 1; !isOver(); stan += 3) {
    const number = (offset: number) => String((stan + offset) % 1_000_000).padStart(6, '0')
    const original = `0200${number(0)}${sentAt}${'0'.repeat(22)}`
    await ask('0200', { 2: cardNumber(demoBin, demoCard), 3: '000000', 4: '000000001000', 11: number(0), 49: '364' })
    await ask('0400', { 3: '000000', 4: '000000001000', 11: number(1), 49: '364', 90: original })
    await ask('0800', { 11: number(2), 70: '301' })
    await wait(pauseMs)
  }

  async function ask(mti: string, elements: Record<number, string>) {
    const message = newMessage(mti)
    Object.assign(message.fields, { 7: sentAt, 41: terminal, 42: merchant }, elements)
    if (mti === '0800') message.fields[42] = undefined
    const startedAt = performance.now()
    const { fields } = await client.send(message)
    done.slowestMs = Math.max(done.slowestMs, performance.now() - startedAt)
    done.exchanges++
    if (fields[39] !== '00') throw new Error(`${mti} was answered ${fields[39]} ${fields[44] ?? ''}`)
  }
}
