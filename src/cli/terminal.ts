import { parseArgs } from 'node:util'
import { type Framing, frameLengthKinds } from '../codec/framing.ts'
import { type ListenerConfig, loadConfig, loadDialect } from '../config/load.ts'
import { connectIsoClient, type IsoClient, NoAnswerError } from '../iso8583/client.ts'
import { elapsedSeconds, nowMicros } from '../ops/clock.ts'
import { keyChangeHints, keyChangeOf, readSessionKeys } from './terminal-keys.ts'
import { type Order, orderNames, requestOf, signOnOf, type TerminalOrder } from './terminal-requests.ts'
import { addPin, connectionSecurity, securityOptions, securityUsage } from './terminal-security.ts'
import { failureOf, followUpsOf, jsonOf, keyLineOf, tableOf, verdictOf } from './terminal-view.ts'

const usage = `Usage: charsu terminal <command> [options]

A small terminal that speaks ISO 8583 to a running switch, and shows what was said.

Commands
  purchase   0200: reserve the amount on the card (a terminal with implicit confirmation takes it at once)
  confirm    0202: the sale is complete; --amount confirms a part
  reverse    0400: undo it
  refund     0200 with DE3 20: give money of a confirmed purchase back
  balance    0200 with DE3 31: what is on the card
  echo       0800: is the switch there?
  key-change 0800 with DE70 101: new MAC and PIN keys, under --master-key, into --session-keys

Options
  --host HOST          where the switch is (127.0.0.1)
  --port PORT          (that of the first listener in switch-config/switch.json, or ISO_PORT)
  --pan PAN            card number (9364000000000019, the first card of the demo tenant)
  --amount AMOUNT      in minor units of the currency (25000 for a purchase)
  --currency NUMBER    ISO 4217 number (364)
  --merchant CODE      DE42 (M00000000000001)
  --terminal CODE      DE41 (T0000001)
  --stan NUMBER        DE11 (from the time of day)
  --original MTI/STAN/TIME   what confirm, reverse and refund are about, as purchase prints it (DE90)
  --rrn RRN            the same by DE37
  --timeout SECONDS    how long to wait for the answer (10)
  --listener NAME      a listener of switch.json whose port, dialect, framing, MAC and PIN rules to use (the first)
  --dialect NAME       another dialect of switch-config/dialects
  --framing KIND       another length in front of a message: ${frameLengthKinds.join(', ')}
  --sign-on            sign on first (0800, DE70 001), on the same connection; done anyway where the listener wants it
  --json               print JSON

${securityUsage}

Ends with 0 if it was approved, 1 if it was refused, 2 if there was no answer or the command is wrong.`

const options = {
  host: { type: 'string', default: '127.0.0.1' },
  port: { type: 'string' },
  pan: { type: 'string', default: '9364000000000019' },
  amount: { type: 'string' },
  currency: { type: 'string', default: '364' },
  merchant: { type: 'string', default: 'M00000000000001' },
  terminal: { type: 'string', default: 'T0000001' },
  stan: { type: 'string' },
  original: { type: 'string' },
  rrn: { type: 'string' },
  timeout: { type: 'string', default: '10' },
  listener: { type: 'string' },
  dialect: { type: 'string' },
  framing: { type: 'string' },
  ...securityOptions,
  'sign-on': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

const approvedExit = 0
const refusedExit = 1
const failedExit = 2

/** `charsu terminal`: sends one request, prints the exchange with the card masked, and gives the exit code. */
export async function runTerminal(args: string[]): Promise<number> {
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
    if (values.help) {
      console.log(usage)
      return approvedExit
    }
    return await exchange(nameOf(positionals), values)
  } catch (error) {
    console.error(failureOf(error))
    return failedExit
  }
}

type Values = ReturnType<typeof parseArgs<{ options: typeof options }>>['values']

async function exchange(name: Order, values: Values): Promise<number> {
  const listener = listenerOf(values.listener)
  const dialect = values.dialect === undefined ? listener.dialect : loadDialect(values.dialect)
  const framing = { ...listener.framing, ...framingOf(values.framing) }
  const port = values.port === undefined ? listener.port : digitsOf('--port', values.port, 65_535)
  const timeoutMs = 1000 * digitsOf('--timeout', values.timeout, 86_400)
  const order = orderOf(name, values)
  const request = requestOf(order)
  const session = readSessionKeys(values['session-keys'], order.terminal)
  const keyChange = name === 'key-change' ? keyChangeOf(values, order.terminal, listener) : null
  addPin(request, order.pan, values, listener, session)
  const security = connectionSecurity(values, listener, session)

  const startedAt = elapsedSeconds()
  const client = await connectIsoClient({
    ...{ host: values.host, port, dialect, framing, connectTimeoutMs: timeoutMs },
    ...security,
  }).catch((error: Error) => {
    throw new Error(`Not sent: ${error.message}.`)
  })
  let isSent = false
  try {
    if (values['sign-on'] || listener.signOn === 'required') await signOn(client, order, timeoutMs)
    isSent = true
    const reply = await client.send(request, timeoutMs)
    const milliseconds = Math.round((elapsedSeconds() - startedAt) * 1000)
    const verdict = verdictOf(reply)
    const followUps = verdict.isApproved ? followUpsOf(order, request, reply, givenOf(values)) : []
    const keys = verdict.isApproved ? keyChange?.take(reply) : undefined
    if (values.json) {
      console.log(jsonOf(dialect.format, { request, reply, milliseconds, verdict, followUps, keys }))
    } else {
      console.log(`→ ${request.mti} to ${values.host}:${port}\n${tableOf(dialect.format, request)}\n`)
      console.log(`← ${reply.mti} after ${milliseconds} ms\n${tableOf(dialect.format, reply)}\n`)
      const next = followUps.map(({ label, command }) => `${label}\n  ${command}`)
      const hint = name === 'key-change' ? keyChangeHints[reply.fields[39] ?? ''] : undefined
      const told = [verdict.sentence, ...(hint === undefined ? [] : [hint]), ...(keys ?? []).map(keyLineOf), ...next]
      console.log(told.join('\n'))
    }
    return verdict.isApproved ? approvedExit : refusedExit
  } catch (error) {
    if (!(error instanceof NoAnswerError)) throw error
    if (!isSent || error.code === 'not_admitted') throw new Error(`Not sent: ${error.message}.`)
    if (!values.json) console.log(`→ ${request.mti} to ${values.host}:${port}\n${tableOf(dialect.format, request)}\n`)
    const undo = followUpsOf(order, request, null, givenOf(values)).map(
      ({ label, command }) => `${label}\n  ${command}`,
    )
    const doubt =
      name === 'key-change'
        ? 'Ask again: until the new keys are used the same ones come.'
        : 'It may have had its effect, or not.'
    throw new Error([`No answer: ${error.message}. ${doubt}`, ...undo].join('\n'))
  } finally {
    await client.close()
  }
}

async function signOn(client: IsoClient, order: TerminalOrder, timeoutMs: number): Promise<void> {
  const { isApproved, sentence } = verdictOf(await client.send(signOnOf(order), timeoutMs))
  if (!isApproved) throw new Error(`signing on: ${sentence}`)
}

function listenerOf(name: string | undefined): ListenerConfig {
  const { listeners } = loadConfig()
  const listener = name === undefined ? listeners[0] : listeners.find(one => one.name === name)
  if (listener === undefined) throw new Error(`--listener must be one of ${listeners.map(one => one.name).join(', ')}`)
  return listener
}

function framingOf(given: string | undefined): Partial<Framing> {
  if (given === undefined) return {}
  const length = frameLengthKinds.find(kind => kind === given)
  if (length === undefined) throw new Error(`--framing must be one of ${frameLengthKinds.join(', ')}`)
  return { length }
}

function nameOf(positionals: readonly string[]): Order {
  const [given, ...more] = positionals
  const name = orderNames.find(order => order === given)
  if (name === undefined) throw new Error(given === undefined ? usage : `no such command: ${given}\n\n${usage}`)
  if (more.length > 0) throw new Error(`too much: ${more.join(' ')}`)
  return name
}

function orderOf(name: Order, values: Values): TerminalOrder {
  const at = nowMicros()
  const { pan, currency, merchant, terminal, original, rrn } = values
  if (!/^\d{1,19}$/.test(pan)) throw new Error('--pan must be 1 to 19 digits')
  if (!/^\d{3}$/.test(currency)) throw new Error('--currency must be 3 digits')
  checkCode('--merchant', merchant, 15)
  checkCode('--terminal', terminal, 8)
  if (rrn !== undefined && rrn.length > 12) throw new Error('--rrn must have at most 12 characters')
  return {
    name,
    at,
    pan,
    currency,
    merchant,
    terminal,
    // Milliseconds: two commands typed one after the other differ, and DE7 tells the rest apart.
    stan: values.stan === undefined ? Math.floor(at / 1000) % 1_000_000 : digitsOf('--stan', values.stan, 999_999),
    amount: values.amount === undefined ? undefined : amountOf(values.amount),
    original: original === undefined ? undefined : originalOf(original),
    rrn,
  }
}

function digitsOf(option: string, text: string, max: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number.parseInt(text, 10) : -1
  if (value < 0 || value > max) throw new Error(`${option} must be a number from 0 to ${max}, not "${text}"`)
  return value
}

function amountOf(text: string): bigint {
  if (!/^\d{1,12}$/.test(text)) throw new Error(`--amount must be 1 to 12 digits, not "${text}"`)
  return BigInt(text)
}

function originalOf(text: string): TerminalOrder['original'] {
  const parts = /^(\d{4})\/(\d{1,6})\/(\d{10})$/.exec(text)
  if (parts === null) throw new Error('--original must be MTI/STAN/TIME, such as 0200/000123/1121143000')
  return { mti: parts[1]!, stan: parts[2]!, sentAt: parts[3]! }
}

function checkCode(option: string, code: string, lengthMax: number): void {
  if (!/^[ -~]+$/.test(code) || code.length > lengthMax) {
    throw new Error(`${option} must have 1 to ${lengthMax} characters`)
  }
}

const repeatable = [
  ...(['listener', 'dialect', 'framing', 'ca', 'cert', 'key', 'mac-algorithm', 'mac-padding'] as const),
  ...(['mac-length', 'session-keys'] as const),
]

/** What was not left to its default, so that the commands to copy say it again. */
function givenOf(values: Values): readonly string[] {
  const given: string[] = []
  if (values.host !== options.host.default) given.push('--host', values.host)
  if (values.port !== undefined) given.push('--port', values.port)
  if (values.merchant !== options.merchant.default) given.push('--merchant', values.merchant)
  if (values.terminal !== options.terminal.default) given.push('--terminal', values.terminal)
  if (values.currency !== options.currency.default) given.push('--currency', values.currency)
  if (values.tls) given.push('--tls')
  for (const name of repeatable) {
    const value = values[name]
    if (value !== undefined) given.push(`--${name}`, value)
  }
  // A key in a file may be named again; one that was typed is not repeated on the screen.
  if (values['mac-key'] !== undefined)
    given.push('--mac-key', values['mac-key'].startsWith('@') ? values['mac-key'] : 'KEY')
  return given
}
