import autocannon from 'autocannon'
import { cardNumber } from '../../src/core/card-numbers.ts'
import { apiKey, cardBin, merchantCode, terminalCode } from '../tenant.ts'
import type { LoadSpec } from './messages.ts'
import type { LoadRecorder } from './recorder.ts'
import { type RunningLoad, someAmount, someCard } from './running.ts'

/** What autocannon keeps for one pass through the two requests on one connection. */
interface Pass {
  id?: string
  begunAt?: number
}

const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
/** Longer than any run: it is stopped by `finish`. */
const longestSeconds = 3_600
const answerMaxSeconds = 15

/**
 * Closed loop by autocannon: each connection authorizes, takes the id out of the answer, confirms, and begins again
 * with another card; each request has an Idempotency-Key of its own.
 */
export async function startHttpLoad(
  { port, connections, cards }: Extract<LoadSpec, { kind: 'http' }>,
  recorder: LoadRecorder,
): Promise<RunningLoad> {
  const pans = Array.from({ length: cards }, (_, index) => cardNumber(cardBin, index + 1))
  const run = `bench-${process.pid}-${Date.now()}`
  let requests = 0
  const nextKey = (): string => `${run}-${++requests}`
  /** autocannon tells of an answer twice, here first and then with its time. */
  let answeredStep: 'authorize' | 'confirm' = 'authorize'
  let answeredPass: Pass = {}

  const onResponse =
    (step: 'authorize' | 'confirm', status: number) => (seen: number, body: string, context: object) => {
      answeredStep = step
      answeredPass = context as Pass
      if (seen !== status) recorder.failed(`${step} ${seen}`)
      else if (step === 'authorize') answeredPass.id = idIn(body)
    }
  const done = Promise.withResolvers<void>()
  const options: autocannon.Options = {
    url: `http://127.0.0.1:${port}`,
    connections,
    duration: longestSeconds,
    timeout: answerMaxSeconds,
    requests: [
      {
        method: 'POST',
        path: '/v1/transactions',
        setupRequest: request => {
          const terminal = requests % connections
          const body = JSON.stringify({
            card: { pan: pans[someCard(cards)] },
            amount: someAmount(),
            currency: 'IRR',
            merchant: merchantCode(terminal),
            terminal: terminalCode(terminal),
          })
          return { ...request, headers: { ...headers, 'idempotency-key': nextKey() }, body }
        },
        onResponse: onResponse('authorize', 201),
      },
      {
        method: 'POST',
        setupRequest: (request, context) => {
          const { id } = context as Pass
          // Without a hold there is nothing to confirm: autocannon then begins again.
          if (id === undefined) return undefined as unknown as autocannon.Request
          const path = `/v1/transactions/${id}/confirm`
          return { ...request, path, headers: { ...headers, 'idempotency-key': nextKey() }, body: '{}' }
        },
        onResponse: onResponse('confirm', 200),
      },
    ],
  }
  const instance = autocannon(options, () => done.resolve())
  instance.on('response', (_client, status, _bytes, elapsedMs) => {
    const now = performance.now()
    recorder.answered(answeredStep, now - elapsedMs, now)
    if (answeredStep === 'authorize') answeredPass.begunAt = now - elapsedMs
    else if (status === 200) recorder.completed(answeredPass.begunAt ?? now, now)
  })
  instance.on('reqError', (error: Error) => recorder.failed(error.message))
  return {
    // It knows no end between two requests: those under way are cut off, which the switch must stand anyway.
    finish: async () => {
      instance.stop()
      await done.promise
      return 0
    },
  }
}

/** The id of the transaction, without reading the whole of the answer. */
function idIn(body: string): string {
  const at = body.indexOf('"id":"') + 6
  return body.slice(at, body.indexOf('"', at))
}
