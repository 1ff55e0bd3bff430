import { type KeyObject, randomFillSync } from 'node:crypto'
import { hasCheckDigit } from '../core/card-numbers.ts'
import { mobileOf, nationalCodeOf } from '../core/cardholders.ts'
import type { Catalog, Program } from '../core/catalog.ts'
import type { Micros } from '../core/ids.ts'
import { amountOf, dayOf } from '../core/load-rows.ts'
import { startOfDay } from '../core/local-time.ts'
import { dayOfPersianDate } from '../core/months.ts'
import { nationalCodeHash, panToken } from '../crypto/hash.ts'
import { sealPan } from '../crypto/pan-vault.ts'
import type { NewCard, NewHolder, NewLoad, PersonLine } from '../store/import/people.ts'
import type { LineCells } from './import-line.ts'

export interface PeopleContext {
  readonly catalog: Catalog
  /** Ids of programs and what the numbers of their cards begin with, the longest first. */
  readonly ranges: readonly { readonly program: number; readonly bin: string }[]
  readonly panKey: KeyObject
  readonly vaultKey: KeyObject
  readonly now: Micros
}

const nameCharsMax = 200
const referencePattern = /^[^\p{Cc}\p{Cs}]{1,64}$/u
const signs = /[\s\u200c'_.-]/g

/** Random bytes, drawn many at a time: twelve at a time cost more than sealing a card number. */
const pool = Buffer.alloc(12_288)
let used = pool.length
function drawn(count: number): Buffer {
  if (used + count > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += count
  return Buffer.from(pool.subarray(used - count, used))
}

/** Makes what is to be written of a line; null if something is wrong with it, which the line then knows. */
export class PeopleReader {
  readonly #context: PeopleContext
  readonly #programs: ReadonlyMap<string, Program>
  readonly #funders: ReadonlyMap<string, number>
  /** The same few dates stand on millions of lines. */
  readonly #ends = new Map<string, Micros | null>()

  constructor(context: PeopleContext) {
    const { programsById, fundersById } = context.catalog
    this.#context = context
    this.#programs = new Map([...programsById.values()].map(program => [program.code, program]))
    this.#funders = new Map([...fundersById.values()].map(({ code, id }) => [code, id]))
  }

  cardholder(cells: LineCells): PersonLine | null {
    const holder = this.#holder(cells)
    if (holder.reference === null && holder.national === null) cells.fail('reference', 'missing')
    return cells.problem === null ? { line: cells.line, holder, card: null, load: null } : null
  }

  card(cells: LineCells): PersonLine | null {
    const pan = panOf(cells)
    const holder = this.#holder(cells)
    const named = this.#program(cells, 'program')
    const range = this.#context.ranges.find(({ bin }) => pan?.startsWith(bin))?.program ?? null
    if (named !== null && this.#hasRange(named) && pan !== null && range !== named.id) {
      cells.fail('pan', 'range_wrong', pan)
    }
    const program = named?.id ?? range
    const status = codeOf(cells, 'status', statuses, 'status_unknown')
    const kind = codeOf(cells, 'cardKind', kinds, 'kind_unknown')
    const expiresAt = this.#end(cells, 'cardExpires', true)
    const load = this.#load(cells, program)
    if (cells.problem !== null || pan === null) return null
    const { panKey, vaultKey, catalog } = this.#context
    const token = panToken(pan, panKey)
    const sealed = sealPan(vaultKey, pan, { tenant: catalog.tenant.id, token }, drawn).toString('hex')
    const card: NewCard = { token, last4: pan.slice(-4), sealed, expiresAt, status, kind, program }
    return { line: cells.line, holder, card, load }
  }

  #holder(cells: LineCells): NewHolder {
    const reference = cells.text('reference')
    const isNumber = /^[0-9]{12,19}$/.test(reference.replace(signs, '')) && hasCheckDigit(reference.replace(signs, ''))
    if (reference !== '' && (isNumber || !referencePattern.test(reference))) {
      cells.fail('reference', 'reference_invalid', reference)
    }
    const name = [cells.text('name'), cells.text('lastName')].filter(part => part !== '').join(' ')
    if (name.length > nameCharsMax) cells.fail('name', 'too_long')
    const mobileText = cells.text('mobile')
    const mobile = mobileText === '' ? null : mobileOf(mobileText)
    if (mobileText !== '' && mobile === null) cells.fail('mobile', 'mobile_invalid', mobileText)
    return {
      reference: reference === '' ? null : reference,
      name: name === '' ? null : name,
      mobile,
      national: this.#national(cells),
    }
  }

  #national(cells: LineCells): NewHolder['national'] {
    const text = cells.text('nationalCode')
    if (text === '') return null
    const code = nationalCodeOf(text)
    if (code === null) return cells.fail('nationalCode', 'national_invalid', text)
    if (/^[0-9]{8,9}$/.test(text)) cells.counts.zeros += 1
    const { catalog, panKey } = this.#context
    return { hash: nationalCodeHash(code, catalog.tenant.id, panKey), last: code.slice(-4) }
  }

  #program(cells: LineCells, field: string): Program | null {
    const code = cells.text(field)
    if (code === '') return null
    return this.#programs.get(code) ?? cells.fail(field, 'program_unknown', code)
  }

  #hasRange({ id }: Program): boolean {
    return this.#context.ranges.some(({ program }) => program === id)
  }

  /** The opening balance; null for none. */
  #load(cells: LineCells, cardProgram: number | null): NewLoad | null {
    const text = cells.text('amount')
    if (text === '' || /^0+(?:\.0*)?$/.test(text)) return null
    const { programsById, assetsById, fundersById } = this.#context.catalog
    const program = this.#program(cells, 'loadProgram') ?? programsById.get(cardProgram ?? 0)
    if (program === undefined) return cells.fail('program', 'program_missing')
    if (program.isClosed) return cells.fail('program', 'program_closed', program.code)
    const amount = amountOf(text, assetsById.get(program.asset)?.scale ?? 0)
    if (amount === null) return cells.fail('amount', 'amount_invalid', text)
    if (!/^[0-9]+$/.test(text)) cells.counts.separators += 1
    const code = cells.text('funder')
    const funder =
      code === '' ? program.funder : (this.#funders.get(code) ?? cells.fail('funder', 'funder_unknown', code))
    if (funder === null) return cells.fail('funder', 'funder_missing')
    if (fundersById.get(funder)?.isSuspended) return cells.fail('funder', 'organisation_suspended', code)
    const end = this.#end(cells, 'expires', false)
    if (end !== null && end <= this.#context.now) return cells.fail('expires', 'date_past', cells.text('expires'))
    const reference = cells.text('loadReference')
    if (reference !== '' && !referencePattern.test(reference)) cells.fail('loadReference', 'reference_invalid')
    return {
      program: program.id,
      funder,
      amount,
      expiresAt: cells.text('expires') === '' ? 'terms' : end,
      reference: reference === '' ? null : reference,
    }
  }

  /** The end of a day, or of a month where `takesMonths`; null if the cell is empty or wrong. */
  #end(cells: LineCells, field: string, takesMonths: boolean): Micros | null {
    const text = cells.text(field)
    if (text === '') return null
    let end = this.#ends.get(text)
    if (end === undefined) {
      const after = dayAfter(text)
      end = after === null ? null : startOfDay(after, this.#context.catalog.tenant.timeZone)
      if (this.#ends.size < endsMax) this.#ends.set(text, end)
    }
    if (end === null || (!takesMonths && monthPattern.test(text))) return cells.fail(field, 'date_invalid', text)
    return end
  }
}

const endsMax = 10_000
const monthPattern = /^([0-9]{4})[/.-]([0-9]{1,2})$/
const yearsOfPersianCalendarBelow = 1700

/** The day after a date, or the first one after a month; null if it is neither. */
function dayAfter(text: string): number | null {
  const [, yearText, monthText = ''] = monthPattern.exec(text) ?? []
  if (yearText === undefined) {
    const day = dayOf(text)
    return day === null ? null : day + 1
  }
  const year = Number.parseInt(yearText, 10)
  const month = Number.parseInt(monthText, 10)
  if (month < 1 || month > 12) return null
  const next = month === 12 ? { year: year + 1, month: 1 } : { year, month: month + 1 }
  if (year < yearsOfPersianCalendarBelow) return dayOfPersianDate(next.year, next.month, 1)
  return Date.UTC(next.year, next.month - 1, 1) / 86_400_000
}

/** Codes of `cards.status` and `cards.kind`. */
const statuses = new Map([
  ['', 0],
  ...['active', 'فعال'].map(word => [word, 0] as const),
  ...['blocked', 'مسدود'].map(word => [word, 1] as const),
  ...['inactive', 'غیرفعال', 'غیر فعال', 'غیر\u200cفعال'].map(word => [word, 2] as const),
])
const kinds = new Map([
  ['', 0],
  ...['physical', 'فیزیکی'].map(word => [word, 0] as const),
  ...['virtual', 'مجازی'].map(word => [word, 1] as const),
])

function codeOf(
  cells: LineCells,
  field: string,
  codes: ReadonlyMap<string, number>,
  reason: 'status_unknown' | 'kind_unknown',
): number {
  const text = cells.text(field)
  return codes.get(text.toLowerCase()) ?? cells.fail(field, reason, text) ?? 0
}

function panOf(cells: LineCells): string | null {
  const text = cells.text('pan')
  if (text === '') return cells.fail('pan', 'missing')
  const pan = text.replace(signs, '')
  if (pan !== text) cells.counts.separators += 1
  if (/^[0-9],?[0-9]*e\+?[0-9]+$/i.test(pan)) return cells.fail('pan', 'number_damaged', text)
  if (!/^[0-9]{12,19}$/.test(pan)) return cells.fail('pan', 'card_number_invalid', text)
  return hasCheckDigit(pan) ? pan : cells.fail('pan', 'check_digit_wrong', pan)
}
