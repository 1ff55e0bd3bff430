import type { Message } from '../codec/message.ts'
import type { Tenant } from '../core/catalog.ts'
import type { Authorize, CardToken, Command, Confirm, Inquire, Original, Refund, Reverse } from '../core/commands.ts'
import { fingerprint } from '../core/content.ts'
import type { Day } from '../core/ids.ts'
import { type Step, terminalKey } from '../core/keys.ts'
import type { Reason } from '../core/reasons.ts'
import { sha256Hex } from '../crypto/hash.ts'
import { cardFaultOf, panOf } from './card.ts'
import {
  type CheckedElement,
  codeOf,
  dayOfMonthAndDay,
  type Fields,
  faultOf,
  isDigits,
  isZeros,
  numberOf,
  optionalFaultOf,
} from './elements.ts'
import { isAdvice, kindOfMti } from './mti.ts'
import { type Identity, type Named, originalOf } from './original.ts'

/**
 * What tells one request of a terminal from another: DE7, or DE13 and DE12 for terminals that renew DE7 on a repeat.
 */
export type IdentityRule = 'transmission' | 'local'

export interface MappingContext {
  readonly tenant: Tenant
  readonly identity: IdentityRule
  /** The present day, for dates without a year. */
  readonly today: Day
  tokenOf(pan: string): CardToken
}

export type TerminalCommand = Authorize | Confirm | Reverse | Refund | Inquire

/** What a message comes to. */
export type Mapped =
  /** `elements` names the content of the command, in the order of its fingerprint. */
  | { readonly kind: 'command'; readonly command: TerminalCommand; readonly elements: readonly string[] }
  /** It is answered here, and nothing is stored. `detail` tells the terminal more than the reason does. */
  | { readonly kind: 'answer'; readonly reason: Reason; readonly detail: string | null }

const elementsWithDe90 = ['DE2', 'DE3', 'DE4', 'DE49', 'DE95', 'DE90']
const elementsWithDe37 = ['DE2', 'DE3', 'DE4', 'DE49', 'DE95', 'DE37']

type Needs = Readonly<Record<IdentityRule, readonly CheckedElement[]>>
const processingNeeds: readonly CheckedElement[] = [3]
const openNeeds: Needs = { transmission: [4, 7, 11, 41, 42, 49], local: [4, 11, 12, 13, 41, 42, 49] }
const inquiryNeeds: Needs = { transmission: [7, 11, 41, 42, 49], local: [11, 12, 13, 41, 42, 49] }
const refundNeeds: Needs = { transmission: [4, 7, 11, 41, 42], local: [4, 11, 12, 13, 41, 42] }
const followUpNeeds: Needs = { transmission: [7, 11, 41, 42], local: [11, 12, 13, 41, 42] }

const answer = (reason: Reason, detail: string | null = null): Mapped => ({ kind: 'answer', reason, detail })
const malformed = (fault: string): Mapped => answer('format_invalid', fault)

/** The command that a request asks for, or the answer that needs none. Pure; a message that is no request is a bug. */
export function commandOf({ mti, fields }: Message, context: MappingContext): Mapped {
  switch (kindOfMti(mti)) {
    case 'preauthorization':
      return open(true, fields, context)
    case 'financial':
      return open(false, fields, context)
    case 'completion':
      return complete(isAdvice(mti), fields, context)
    case 'reversal':
      return reverse(fields, context)
    case 'offline':
      return answer('operation_not_allowed')
    case 'reconciliation':
      return answer('processing_code_unsupported')
    case 'network':
      return manageNetwork(fields)
    default:
      return malformed('MTI unsupported')
  }
}

function open(isPreauthorization: boolean, fields: Fields, context: MappingContext): Mapped {
  const fault = faultOf(fields, processingNeeds)
  if (fault !== null) return malformed(fault)
  const processing = fields[3]!
  if (processing.startsWith('00')) return authorize(isPreauthorization, fields, context)
  if (processing.startsWith('31')) return inquire(fields, context)
  if (processing.startsWith('20') && !isPreauthorization) return refund(fields, context)
  return answer('processing_code_unsupported')
}

function authorize(isPreauthorization: boolean, fields: Fields, context: MappingContext): Mapped {
  const read = readRequest(fields, openNeeds, 'open', context)
  if (read.kind === 'answer') return read
  const { request, identity, card } = read
  if (card === null) return malformed('DE2 missing')
  return command(
    {
      kind: 'authorize',
      ...request,
      content: contentOf(card, fields, fields[90] ?? null),
      merchant: identity.merchant,
      terminal: identity.terminal,
      card,
      currency: fields[49]!,
      amount: BigInt(fields[4]!),
      purpose: isPreauthorization ? 'preauthorization' : 'purchase',
      capture: isPreauthorization ? false : 'terminal',
      partial: 'terminal',
      eligibleAmount: null,
      basket: null,
      confirmWithinSeconds: null,
      reference: null,
      rrn: rrnIn(fields),
      stan: identity.stan,
    },
    elementsWithDe90,
  )
}

function inquire(fields: Fields, context: MappingContext): Mapped {
  const read = readRequest(fields, inquiryNeeds, 'open', context)
  if (read.kind === 'answer') return read
  const { request, identity, card } = read
  if (card === null) return malformed('DE2 missing')
  return command(
    {
      kind: 'inquire',
      ...request,
      content: contentOf(card, fields, fields[90] ?? null),
      merchant: identity.merchant,
      terminal: identity.terminal,
      card,
      currency: fields[49]!,
    },
    elementsWithDe90,
  )
}

function refund(fields: Fields, context: MappingContext): Mapped {
  const read = readFollowUp(fields, refundNeeds, 'open', context)
  if (read.kind === 'answer') return read
  const { followUp, identity, named } = read
  return command(
    {
      kind: 'refund',
      ...followUp,
      amount: BigInt(fields[4]!),
      terminal: identity.terminal,
      // DE37 may be the original's here, and one number must not name two transactions.
      rrn: named.element === 'DE37' ? null : rrnIn(fields),
      stan: identity.stan,
    },
    elementsOf(named),
  )
}

/** 0202 and 0220: the terminal's word on whether the sale is complete. Either way the step is that of the MTI. */
function complete(isAdvice: boolean, fields: Fields, context: MappingContext): Mapped {
  const read = readFollowUp(fields, followUpNeeds, 'confirm', context)
  if (read.kind === 'answer') {
    const isOffline = isAdvice && read.reason === 'original_unknown'
    return isOffline ? answer('operation_not_allowed') : read
  }
  const { followUp, named } = read
  const word = fields[39]
  if (word !== undefined && word !== '00' && word !== '10') {
    // DE4 is what the terminal would have confirmed, so it need not be the amount of the original.
    return command({ kind: 'reverse', ...followUp, extent: { by: 'all' }, originalAmount: null }, elementsOf(named))
  }
  return command({ kind: 'confirm', ...followUp, amount: amountIn(fields) }, elementsOf(named))
}

function reverse(fields: Fields, context: MappingContext): Mapped {
  const read = readFollowUp(fields, followUpNeeds, 'reverse', context)
  if (read.kind === 'answer') return read
  const replacement = fields[95]
  if (replacement !== undefined && !isDigits(replacement, 0, 12)) return malformed('DE95 invalid')
  const { followUp, named } = read
  const isWhole = replacement === undefined || isZeros(replacement, 0, 12)
  const extent = isWhole ? ({ by: 'all' } as const) : ({ by: 'to', amount: BigInt(replacement.slice(0, 12)) } as const)
  return command({ kind: 'reverse', ...followUp, extent, originalAmount: amountIn(fields) }, elementsOf(named))
}

/** DE70: sign-on, sign-off and echo are answered here; keys are not exchanged yet, and cut-over is a host's to say. */
function manageNetwork(fields: Fields): Mapped {
  const code = fields[70]
  if (code === undefined) return malformed('DE70 missing')
  if (code === '001' || code === '002' || code === '301') return answer('approved')
  return code === '101' || code === '201' ? answer('operation_not_allowed') : malformed('DE70 invalid')
}

interface ReadRequest {
  readonly kind: 'read'
  readonly request: Pick<Command, 'tenant' | 'channel' | 'key' | 'day'>
  readonly identity: Identity
  readonly card: CardToken | null
}

function readRequest(
  fields: Fields,
  needs: Needs,
  step: Step,
  context: MappingContext,
): ReadRequest | Extract<Mapped, { kind: 'answer' }> {
  const isLocal = context.identity === 'local'
  const fault = faultOf(fields, needs[context.identity]) ?? cardFaultOf(fields)
  const date = isLocal ? fields[13] : fields[7]
  const day = fault === null ? dayOfMonthAndDay(date!.slice(0, 4), context.today) : null
  if (day === null)
    return { kind: 'answer', reason: 'format_invalid', detail: fault ?? `DE${isLocal ? 13 : 7} invalid` }

  const stan = numberOf(fields[11]!, 0, 6)
  const sentAt = isLocal ? numberOf(date!, 0, 4) * 1_000_000 + numberOf(fields[12]!, 0, 6) : numberOf(date!, 0, 10)
  const terminal = codeOf(fields[41]!)
  const merchant = codeOf(fields[42]!)
  const pan = panOf(fields)
  return {
    kind: 'read',
    request: {
      tenant: context.tenant.id,
      channel: 'terminal',
      key: terminalKey({ terminal, merchant, step, stan, sentAt }),
      day,
    },
    identity: { terminal, merchant, stan, sentAt, day },
    card: pan === undefined ? null : context.tokenOf(pan),
  }
}

interface ReadFollowUp {
  readonly kind: 'read'
  readonly followUp: ReadRequest['request'] & {
    readonly content: string
    readonly original: Original
    readonly merchants: readonly string[]
    readonly card: CardToken | null
    readonly currency: string | null
  }
  readonly identity: Identity
  readonly named: Named
}

function readFollowUp(
  fields: Fields,
  needs: Needs,
  step: Step,
  context: MappingContext,
): ReadFollowUp | Extract<Mapped, { kind: 'answer' }> {
  const read = readRequest(fields, needs, step, context)
  if (read.kind === 'answer') return read
  const fault = optionalFaultOf(fields, 4)
  if (fault !== null) return { kind: 'answer', reason: 'format_invalid', detail: fault }
  const { request, identity, card } = read
  const named = originalOf(fields, identity, context.identity === 'local', context.today)
  if (named.kind === 'fault') return { kind: 'answer', reason: 'format_invalid', detail: named.fault }
  if (named.kind === 'none') return { kind: 'answer', reason: 'original_unknown', detail: null }
  return {
    kind: 'read',
    followUp: {
      ...request,
      content: contentOf(card, fields, named.content),
      original: named.original,
      merchants: [identity.merchant],
      card,
      currency: fields[49] ?? null,
    },
    identity,
    named,
  }
}

const command = (of: TerminalCommand, elements: readonly string[]): Mapped => ({
  kind: 'command',
  command: of,
  elements,
})

const elementsOf = ({ element }: Named): readonly string[] => (element === 'DE37' ? elementsWithDe37 : elementsWithDe90)

function contentOf(card: CardToken | null, fields: Fields, original: string | null): string {
  const parts = [card, fields[3] ?? null, fields[4] ?? null, fields[49] ?? null, fields[95] ?? null, original]
  return fingerprint(parts, sha256Hex)
}

const amountIn = (fields: Fields): bigint | null => (fields[4] === undefined ? null : BigInt(fields[4]))

function rrnIn(fields: Fields): string | null {
  const rrn = fields[37]
  return rrn === undefined || codeOf(rrn) === '' ? null : rrn
}
