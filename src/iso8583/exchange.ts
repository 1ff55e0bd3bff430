import type { Dialect } from '../codec/dialect.ts'
import { CodecError, type UnpackError } from '../codec/errors.ts'
import type { Frame } from '../codec/framing.ts'
import { type Message, newMessage } from '../codec/message.ts'
import type { Tenant } from '../core/catalog.ts'
import type { Authorize, Inquire } from '../core/commands.ts'
import { dayOfMicros, type Micros } from '../core/ids.ts'
import { panToken } from '../crypto/hash.ts'
import type { Result } from '../engine/result.ts'
import { panOf } from './card.ts'
import { commandOf, type IdentityRule, type Mapped, type MappingContext, type TerminalCommand } from './command.ts'
import { isDigits } from './elements.ts'
import type { ExchangeDeps, ExchangeSettings, Sender } from './exchange-types.ts'
import type { FrameLog } from './frame-log.ts'
import type { KeyExchange } from './key-exchange.ts'
import type { MacCheck, MacGuard } from './mac-guard.ts'
import { isAnswerable, kindOfMti } from './mti.ts'
import type { PinCheck } from './pin-check.ts'
import { type Asked, type Reply, replyOf, replyTo } from './reply.ts'
import { networkCodes, type SignOns } from './sign-ons.ts'

/** Elements that a dialect need not have: an answer goes without them then. */
const optionalInReplies = [15, 37, 38, 44, 54]

/** Takes the messages of one listener from their bytes to the bytes of their answers. */
export class Exchanges {
  readonly #deps: ExchangeDeps
  readonly #dialect: Dialect
  readonly #tenant: number | ReadonlyMap<string, number>
  readonly #identity: IdentityRule
  readonly #notInDialect: readonly number[]
  readonly #tokenOf: (pan: string) => string
  readonly #mac: MacGuard | undefined
  readonly #pin: PinCheck | undefined
  readonly #signOns: SignOns | undefined
  readonly #keyExchange: KeyExchange | undefined
  readonly #frameLog: FrameLog | undefined

  constructor(
    deps: ExchangeDeps,
    { dialect, tenant, identity, mac, pin, signOns, keyExchange, frameLog }: ExchangeSettings,
  ) {
    this.#deps = deps
    this.#dialect = dialect
    this.#tenant = tenant
    this.#identity = identity
    this.#notInDialect = optionalInReplies.filter(element => !dialect.format.fields.has(element))
    this.#mac = mac
    this.#pin = pin
    this.#signOns = signOns
    this.#keyExchange = keyExchange
    this.#frameLog = frameLog
    this.#tokenOf = pan => panToken(pan, deps.panKey)
  }

  /** Never throws. Commands are handed to the engine before it returns, so that they keep the order of the frames. */
  handle({ body, tpdu }: Frame, sender: Sender): void {
    const startedAt = this.#deps.now()
    const read = this.#dialect.unpack(body)
    this.#frameLog?.received(read, body.length, sender.peer)
    const { message } = read
    if (!isReadable(message)) {
      const details = read.ok
        ? { missing: 11 }
        : { path: read.error.path, offset: read.error.offset, code: read.error.code }
      sender.reject(details)
      return
    }
    const exchange: Exchange = { message, tpdu, sender, startedAt, tenant: null, command: null, macKey: null }
    if (!isAnswerable(message.mti)) {
      // The answer to an echo of ours is what it was asked for.
      if (message.mti !== '0810') {
        this.#deps.log.info({ mti: message.mti, stan: message.fields[11] }, 'not a request: ignored')
      }
      sender.finish(null, tpdu)
      return
    }
    if (!read.ok) {
      this.#answer(exchange, replyTo(message, 'format_invalid', faultOf(read.error)), false, null)
      return
    }
    this.#ask(exchange, body)
  }

  #ask(exchange: Exchange, body: Buffer): void {
    const { message, startedAt } = exchange
    const tenant = this.#tenantOf(message)
    if (tenant === undefined) {
      this.#answer(exchange, replyTo(message, 'terminal_unknown'), false, null)
      return
    }
    exchange.tenant = tenant.id
    if (this.#mac !== undefined && !this.#isAuthentic(exchange, this.#mac.check(message, body, tenant.id))) return
    if (this.#signOns?.admits(message, exchange.sender) === false) {
      this.#answer(exchange, replyTo(message, 'not_signed_on'), false, null)
      return
    }
    if (this.#keyExchange !== undefined && isKeyChange(message)) {
      this.#changeKeys(exchange, this.#keyExchange.answer(message, tenant.id, exchange.macKey))
      return
    }
    const today = dayOfMicros(startedAt)
    const mapped = this.#map(message, { tenant, identity: this.#identity, today, tokenOf: this.#tokenOf })
    if (mapped.kind === 'answer') {
      this.#answer(exchange, replyTo(message, mapped.reason, mapped.detail), false, null)
      return
    }
    const { command, elements } = mapped
    exchange.command = command
    if (this.#pin !== undefined && (command.kind === 'authorize' || command.kind === 'inquire')) {
      this.#checkPin(exchange, this.#pin, command, { request: message, elements, tenant })
    } else this.#enter(exchange, { request: message, command, elements, tenant })
  }

  /** The answer to a message that is not authentic has no MAC: a signed refusal could be kept for another day. */
  #isAuthentic(exchange: Exchange, check: MacCheck): boolean {
    if (check.ok) {
      exchange.macKey = check.key
      return true
    }
    this.#refuseMac(exchange, check.fault)
    return false
  }

  #refuseMac(exchange: Exchange, fault: string): void {
    const { mti, fields } = exchange.message
    this.#deps.log.warn({ mti, terminal: fields[41], stan: fields[11], fault }, 'MAC refused')
    exchange.macKey = null
    this.#answer(exchange, replyTo(exchange.message, 'mac_invalid'), false, null)
  }

  #changeKeys(exchange: Exchange, answer: Promise<Reply>): void {
    answer.then(
      reply => {
        if (reply.reason === 'mac_invalid') this.#refuseMac(exchange, 'not_by_the_newest_key')
        else this.#answer(exchange, reply, false, null)
      },
      error => {
        this.#deps.log.error(errorFields(error), 'keys could not be changed')
        this.#answer(exchange, replyTo(exchange.message, 'internal_error'), false, null)
      },
    )
  }

  /** A question of the switch's own whether the peer is there: 0800, DE70 301. Its answer is not waited for. */
  echo(): Buffer | null {
    const now = this.#deps.now()
    const message = newMessage('0800')
    const time = new Date(now / 1000).toISOString()
    message.fields[7] = [5, 8, 11, 14, 17].map(from => time.slice(from, from + 2)).join('')
    message.fields[11] = String(Math.floor(now / 1000) % 1_000_000).padStart(6, '0')
    message.fields[70] = networkCodes.echo
    return this.#pack(message, null)
  }

  #checkPin(exchange: Exchange, check: PinCheck, command: Authorize | Inquire, rest: Omit<Asked, 'command'>): void {
    const { message } = exchange
    if (!check.isPresent(message)) {
      if (!check.settings.required) this.#enter(exchange, { ...rest, command })
      else
        this.#answer(exchange, replyTo(message, 'format_invalid', `DE${check.settings.element} missing`), false, null)
      return
    }
    const { tenant, card: token, key: request } = command
    check.verdictOf({ message, tenant, pan: panOf(message.fields)!, token, request }).then(
      pin => this.#enter(exchange, { ...rest, command: { ...command, pin } }),
      error => {
        this.#deps.log.error(errorFields(error), 'a PIN could not be checked')
        this.#answer(exchange, replyTo(message, 'switch_unavailable'), false, null)
      },
    )
  }

  #enter(exchange: Exchange, asked: Asked): void {
    const { message } = exchange
    this.#submit(asked.command).then(
      result => {
        const replayed = result.kind === 'decided' && result.replayed
        const transaction = result.kind === 'decided' ? result.decision.transaction : null
        this.#answer(exchange, this.#render(asked, result), replayed, transaction)
      },
      error => {
        // Whether there was an effect is not known here, so nothing may be refused.
        this.#deps.log.error({ ...errorFields(error), mti: message.mti }, 'the engine failed on a command')
        this.#answer(exchange, null, false, null)
      },
    )
  }

  #map(message: Message, context: MappingContext): Mapped {
    try {
      return commandOf(message, context)
    } catch (error) {
      this.#deps.log.error({ ...errorFields(error), mti: message.mti }, 'a message could not be mapped')
      return { kind: 'answer', reason: 'internal_error', detail: null }
    }
  }

  #submit(command: TerminalCommand): Promise<Result> {
    try {
      return this.#deps.submit.submit(command)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #render(asked: Parameters<typeof replyOf>[0], result: Result): Reply | null {
    try {
      return replyOf(asked, result)
    } catch (error) {
      this.#deps.log.error({ ...errorFields(error), mti: asked.request.mti }, 'an answer could not be rendered')
      return null
    }
  }

  #tenantOf({ fields }: Message): Tenant | undefined {
    if (typeof this.#tenant === 'number') return this.#deps.tenantOf(this.#tenant)
    const tenant = this.#tenant.get(fields[32] ?? '')
    return tenant === undefined ? undefined : this.#deps.tenantOf(tenant)
  }

  #answer(exchange: Exchange, reply: Reply | null, replayed: boolean, transaction: number | null): void {
    const body = reply === null ? null : this.#pack(reply.message, exchange.macKey)
    exchange.sender.finish(body, exchange.tpdu)
    if (reply !== null && body !== null) this.#frameLog?.sent(reply.message, body.length, exchange.sender.peer)
    this.#record(exchange, body === null ? null : reply, replayed, transaction)
  }

  #pack(message: Message, macKey: Buffer | null): Buffer | null {
    for (const element of this.#notInDialect) message.fields[element] = undefined
    try {
      if (this.#mac !== undefined && macKey !== null) return this.#mac.pack(message, macKey)
      return this.#dialect.pack(message)
    } catch (error) {
      this.#deps.log.error({ ...errorFields(error), mti: message.mti }, 'an answer could not be packed')
      return null
    }
  }

  #record(exchange: Exchange, reply: Reply | null, replayed: boolean, transaction: number | null): void {
    const { message, command, tenant, startedAt } = exchange
    const { fields } = message
    this.#deps.onExchange({
      mti: message.mti,
      kind: command?.kind ?? 'edge',
      reason: reply?.reason ?? null,
      de39: reply?.message.fields[39] ?? null,
      replayed,
      tenant,
      terminal: fields[41] ?? null,
      merchant: fields[42] ?? null,
      stan: fields[11]!,
      rrn: reply?.message.fields[37] ?? null,
      amount: fields[4] ?? null,
      card: command !== null && 'card' in command ? command.card : null,
      transaction,
      micros: this.#deps.now() - startedAt,
    })
  }
}

interface Exchange {
  readonly message: Message
  readonly tpdu: Buffer | undefined
  readonly sender: Sender
  readonly startedAt: Micros
  tenant: number | null
  command: TerminalCommand | null
  /** The answer's; null: it has no MAC. */
  macKey: Buffer | null
}

/** Whether it can be answered at all: an answer needs the MTI and the STAN. */
function isReadable({ mti, fields }: Message): boolean {
  const stan = fields[11]
  return mti !== '' && stan !== undefined && stan.length === 6 && isDigits(stan, 0, 6)
}

const isKeyChange = ({ mti, fields }: Message): boolean =>
  kindOfMti(mti) === 'network' && fields[70] === networkCodes.keyChange

const faultOf = ({ path, code }: UnpackError): string =>
  isDigits(path, 0, 1) ? `DE${path} ${code}` : `${path} ${code}`

/** The name of an error and where it was thrown; not its message, which could have a value of the request in it. */
function errorFields(error: unknown): object {
  if (error instanceof CodecError) return { error: error.message }
  if (!(error instanceof Error)) return { error: typeof error }
  const at = (error.stack ?? '')
    .split('\n')
    .filter(line => line.startsWith('    at '))
    .slice(0, 5)
  return { error: error.name, at: at.map(line => line.trim()) }
}
