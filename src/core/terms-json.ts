import { dateOfDay, dayOfDate } from './calendar.ts'
import { type Expiry, type Limit, openTerms, type Places, type Terms, type When } from './terms.ts'
import { periods } from './windows.ts'

/** Something that is wrong in a document, at a path such as `limits[0].amount`. */
export interface TermsError {
  readonly field: string
  readonly message: string
}

const weekdayNames = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const

const goodsMax = 1_000
const placesMax = 10_000
const daysMax = 36_500

/**
 * Terms from their JSON form, which `termsJson` writes: all parts may be left out, amounts are integers or digits. All
 * errors are told, each with its field.
 */
export function readTerms(
  json: unknown,
): { readonly terms: Terms; readonly errors: null } | { readonly terms: null; readonly errors: readonly TermsError[] } {
  const reader = new Reader()
  const root = reader.object(json, '', [
    'where',
    'when',
    'purchase',
    'limits',
    'expiry',
    'returns',
    'priority',
    'fallback',
    'confirmWithinSeconds',
    'transfersTo',
  ])
  const where = reader.object(root.where, 'where', ['allow', 'deny'])
  const purchase = reader.object(root.purchase, 'purchase', ['minimum', 'maximum', 'sharePercent', 'goods'])
  const terms: Terms = {
    where: {
      allow: readPlaces(reader, where.allow, 'where.allow'),
      deny: readPlaces(reader, where.deny, 'where.deny'),
    },
    when: readWhen(reader, root.when),
    purchase: {
      minimum: reader.amount(purchase.minimum, 'purchase.minimum'),
      maximum: reader.amount(purchase.maximum, 'purchase.maximum'),
      sharePercent: reader.integer(purchase.sharePercent, 'purchase.sharePercent', 1, 100),
      goods: reader.texts(purchase.goods, 'purchase.goods', goodsMax, 1),
    },
    limits: readLimits(reader, root.limits),
    expiry: readExpiry(reader, root.expiry),
    returns: { intoExpired: readIntoExpired(reader, root.returns) },
    priority: reader.integer(root.priority, 'priority', 0, 1000) ?? openTerms.priority,
    fallback: reader.oneOf(root.fallback, 'fallback', ['onward', 'none']) ?? openTerms.fallback,
    confirmWithinSeconds: reader.integer(root.confirmWithinSeconds, 'confirmWithinSeconds', 1, 2_678_400),
    transfersTo: reader.texts(root.transfersTo, 'transfersTo', placesMax) ?? [],
  }
  const { minimum, maximum } = terms.purchase
  if (minimum !== null && maximum !== null && minimum > maximum) {
    reader.error('purchase.minimum', 'must not be more than purchase.maximum')
  }
  return reader.errors.length === 0 ? { terms, errors: null } : { terms: null, errors: reader.errors }
}

function readPlaces(reader: Reader, json: unknown, field: string): Places {
  const places = reader.object(json, field, ['merchants', 'groups', 'categories'])
  return {
    merchants: reader.texts(places.merchants, `${field}.merchants`, placesMax) ?? [],
    groups: reader.texts(places.groups, `${field}.groups`, placesMax) ?? [],
    categories: reader.texts(places.categories, `${field}.categories`, placesMax) ?? [],
  }
}

function readWhen(reader: Reader, json: unknown): When {
  const when = reader.object(json, 'when', ['weekdays', 'hours', 'dates', 'holidays'])
  return {
    weekdays:
      reader
        .list(when.weekdays, 'when.weekdays', 7, 1)
        ?.map((name, index) => reader.oneOf(name, `when.weekdays[${index}]`, weekdayNames) ?? 'monday')
        .map(name => weekdayNames.indexOf(name) + 1) ?? null,
    hours:
      reader.list(when.hours, 'when.hours', 48, 1)?.map((span, index) => {
        const field = `when.hours[${index}]`
        const hours = reader.object(span, field, ['from', 'until'])
        const from = reader.minute(hours.from, `${field}.from`)
        const until = reader.minute(hours.until, `${field}.until`)
        if (from !== null && from === until) reader.error(`${field}.until`, 'must not be the same as from')
        return { from: from ?? 0, until: until ?? 0 }
      }) ?? null,
    dates:
      reader.list(when.dates, 'when.dates', 366, 1)?.map((span, index) => {
        const field = `when.dates[${index}]`
        const dates = reader.object(span, field, ['from', 'until'])
        const from = reader.day(dates.from, `${field}.from`)
        const until = reader.day(dates.until, `${field}.until`)
        if (from !== null && until !== null && from > until) reader.error(`${field}.from`, 'must not be after until')
        return { from: from ?? 0, until: until ?? 0 }
      }) ?? null,
    holidays: reader.oneOf(when.holidays, 'when.holidays', ['as_any_day', 'only', 'never']) ?? 'as_any_day',
  }
}

function readLimits(reader: Reader, json: unknown): Limit[] {
  const names = new Set<string>()
  return (reader.list(json, 'limits', 32) ?? []).map((item, index) => {
    const field = `limits[${index}]`
    const limit = reader.object(item, field, ['of', 'per', 'hours', 'amount', 'count'])
    const of = reader.oneOf(limit.of, `${field}.of`, ['account', 'holder', 'merchant', 'organisation'], true)
    const per = reader.oneOf(limit.per, `${field}.per`, periods, true)
    const hours = reader.integer(limit.hours, `${field}.hours`, 1, 720)
    const amount = reader.amount(limit.amount, `${field}.amount`)
    const count = reader.integer(limit.count, `${field}.count`, 0, 1_000_000_000)
    if ((per === 'hours') !== isGiven(limit.hours)) {
      reader.error(`${field}.hours`, per === 'hours' ? 'is required' : 'is only for the period hours')
    }
    if (!isGiven(limit.amount) && !isGiven(limit.count)) reader.error(field, 'must have an amount or a count')
    if (names.has(`${of} ${per}`)) reader.error(field, 'is there twice: one limit for each of and per')
    names.add(`${of} ${per}`)
    return { of: of ?? 'account', per: per ?? 'day', hours, amount, count }
  })
}

function readExpiry(reader: Reader, json: unknown): Expiry {
  const expiry = reader.object(json, 'expiry', ['kind', 'date', 'days', 'per'])
  const kinds = ['never', 'date', 'after_load', 'end_of_period', 'inactivity'] as const
  const kind = reader.oneOf(expiry.kind, 'expiry.kind', kinds) ?? 'never'
  const only = { never: null, date: 'date', after_load: 'days', end_of_period: 'per', inactivity: 'days' }[kind]
  for (const name of ['date', 'days', 'per'] as const) {
    if (name !== only && isGiven(expiry[name])) reader.error(`expiry.${name}`, `is not for the kind ${kind}`)
  }
  const days = (): number => reader.integer(expiry.days, 'expiry.days', 1, daysMax, true) ?? 1
  switch (kind) {
    case 'never':
      return { kind }
    case 'date':
      return { kind, day: reader.day(expiry.date, 'expiry.date') ?? 0 }
    case 'after_load':
    case 'inactivity':
      return { kind, days: days() }
    case 'end_of_period': {
      const calendarPeriods = ['day', 'week', 'month', 'persian_month', 'year', 'persian_year'] as const
      return { kind, per: reader.oneOf(expiry.per, 'expiry.per', calendarPeriods, true) ?? 'month' }
    }
  }
}

function readIntoExpired(reader: Reader, json: unknown): Terms['returns']['intoExpired'] {
  const { intoExpired } = reader.object(json, 'returns', ['intoExpired'])
  if (!isGiven(intoExpired) || intoExpired === 'breakage') return 'breakage'
  if (typeof intoExpired === 'string') {
    reader.error('returns.intoExpired', 'must be "breakage" or {"reviveDays": …}')
    return 'breakage'
  }
  const { reviveDays } = reader.object(intoExpired, 'returns.intoExpired', ['reviveDays'])
  return { reviveDays: reader.integer(reviveDays, 'returns.intoExpired.reviveDays', 1, daysMax, true) ?? 1 }
}

const isGiven = (json: unknown): boolean => json !== undefined && json !== null

class Reader {
  readonly errors: TermsError[] = []

  error(field: string, message: string): void {
    this.errors.push({ field, message })
  }

  object<Name extends string>(json: unknown, field: string, names: readonly Name[]): Partial<Record<Name, unknown>> {
    if (!isGiven(json)) return {}
    if (typeof json !== 'object' || Array.isArray(json)) {
      this.error(field === '' ? 'terms' : field, 'must be an object')
      return {}
    }
    for (const name of Object.keys(json as object)) {
      if (!names.includes(name as Name)) this.error(field === '' ? name : `${field}.${name}`, 'is not known')
    }
    return json as Partial<Record<Name, unknown>>
  }

  list(json: unknown, field: string, max: number, min = 0): unknown[] | null {
    if (!isGiven(json)) return null
    if (!Array.isArray(json)) {
      this.error(field, 'must be a list')
      return null
    }
    if (json.length < min) this.error(field, 'must not be empty')
    if (json.length > max) this.error(field, `must have at most ${max} items`)
    return json
  }

  texts(json: unknown, field: string, max: number, min = 0): string[] | null {
    const items = this.list(json, field, max, min)
    items?.forEach((item, index) => {
      if (typeof item !== 'string' || item.length < 1 || item.length > 64) {
        this.error(`${field}[${index}]`, 'must be a text of 1 to 64 characters')
      }
    })
    return items as string[] | null
  }

  amount(json: unknown, field: string): bigint | null {
    if (!isGiven(json)) return null
    const text =
      typeof json === 'string' ? json : typeof json === 'bigint' || Number.isSafeInteger(json) ? `${json}` : ''
    if (/^[0-9]{1,18}$/.test(text)) return BigInt(text)
    this.error(field, 'must be a whole number of minor units, zero or more, of at most 18 digits')
    return null
  }

  integer(json: unknown, field: string, min: number, max: number, isRequired = false): number | null {
    if (!isGiven(json)) {
      if (isRequired) this.error(field, 'is required')
      return null
    }
    if (typeof json === 'number' && Number.isInteger(json) && json >= min && json <= max) return json
    this.error(field, `must be a whole number from ${min} to ${max}`)
    return null
  }

  oneOf<Name extends string>(json: unknown, field: string, names: readonly Name[], isRequired = false): Name | null {
    if (!isGiven(json)) {
      if (isRequired) this.error(field, 'is required')
      return null
    }
    if (names.includes(json as Name)) return json as Name
    this.error(field, `must be one of ${names.join(', ')}`)
    return null
  }

  day(json: unknown, field: string): number | null {
    const day = typeof json === 'string' ? dayOfDate(json) : null
    if (day === null) this.error(field, 'must be a date such as 2026-03-21')
    return day
  }

  minute(json: unknown, field: string): number | null {
    const [, hours, minutes] = typeof json === 'string' ? (/^([01][0-9]|2[0-4]):([0-5][0-9])$/.exec(json) ?? []) : []
    const minute = Number.parseInt(hours ?? '', 10) * 60 + Number.parseInt(minutes ?? '', 10)
    if (minute >= 0 && minute <= 1_440) return minute
    this.error(field, 'must be a time such as 08:30')
    return null
  }
}

/** The JSON form of terms, whole: amounts as digits. */
export function termsJson(terms: Terms): Record<string, unknown> {
  const { where, when, purchase, limits, expiry, returns, ...rest } = terms
  return {
    where,
    when: {
      weekdays: when.weekdays?.map(day => weekdayNames[day - 1]) ?? null,
      hours: when.hours?.map(({ from, until }) => ({ from: clockOf(from), until: clockOf(until) })) ?? null,
      dates: when.dates?.map(({ from, until }) => ({ from: dateOfDay(from), until: dateOfDay(until) })) ?? null,
      holidays: when.holidays,
    },
    purchase: { ...purchase, minimum: digitsOf(purchase.minimum), maximum: digitsOf(purchase.maximum) },
    limits: limits.map(({ of, per, hours, amount, count }) => ({ of, per, hours, amount: digitsOf(amount), count })),
    expiry: expiry.kind === 'date' ? { kind: expiry.kind, date: dateOfDay(expiry.day) } : expiry,
    returns,
    ...rest,
  }
}

const digitsOf = (amount: bigint | null): string | null => (amount === null ? null : `${amount}`)
const clockOf = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
