import { describe, expect, test } from 'vitest'
import { isApproval, type Reason, type ReasonRow, reasonOfCode, reasons } from './reasons.ts'

const rows: [Reason, ReasonRow][] = Object.entries(reasons) as [Reason, ReasonRow][]

test('codes are unique, and lead back to their reason', () => {
  expect(new Set(rows.map(([, { code }]) => code)).size).toBe(rows.length)
  for (const [reason, { code }] of rows) expect(reasonOfCode(code)).toBe(reason)
  expect(() => reasonOfCode(999)).toThrow('reason code 999')
})

/** The statuses of the contract, and the DE39 that each may stand beside. */
const statuses: Readonly<Record<number, readonly string[]>> = {
  200: ['00'],
  201: ['10'],
  400: ['30'],
  401: ['58'],
  402: ['03', '12', '13', '14', '40', '51', '54', '55', '57', '58', '61', '62', '65', '75', '81', '88'],
  403: ['58', '63'],
  404: ['25'],
  405: ['30'],
  406: ['30'],
  409: ['12', '25', '51', '57', '62', '68', '91'],
  412: ['30'],
  413: ['30'],
  415: ['30'],
  422: ['94'],
  428: ['30'],
  429: ['91'],
  500: ['96'],
  503: ['91'],
  504: ['91'],
}
/** What is never stored, so that the same key may try again. */
const passingStatuses = [400, 401, 403, 405, 406, 412, 413, 415, 428, 429, 500, 503, 504]
const passingByName: readonly Reason[] = [
  'in_progress',
  'not_found',
  'code_taken',
  'file_known',
  'state_unsuitable',
  'card_status_wrong',
]

describe('each reason', () => {
  test.each(rows)('%s', (reason, { code, de39, http, retry, en, fa }) => {
    expect(reason).toMatch(/^[a-z]+(_[a-z]+)*$/)
    expect(Number.isInteger(code) && code >= 0 && code <= 32_767).toBe(true)
    expect(statuses[http]).toContain(de39)
    expect(retry).toBe(passingStatuses.includes(http) || passingByName.includes(reason))
    expect(en).toMatch(/^[A-Z][ -~]+\.$/)
    expect(fa).toMatch(/^[\u0600-\u06ff][\u0600-\u06ff\u200c A-Za-z:-]+\.$/)
  })
})

test('only the two approvals are approvals', () => {
  expect(rows.map(([reason]) => reason).filter(isApproval)).toEqual(['approved', 'approved_partially'])
})

/** The codes that the database has: a release may add some, but never change or drop one. */
const written: Partial<Record<Reason, number>> = {
  approved: 0,
  approved_partially: 1,
  merchant_unknown: 10,
  terminal_unknown: 11,
  terminal_not_of_merchant: 12,
  operation_not_allowed: 13,
  currency_unsupported: 14,
  amount_invalid: 15,
  amount_beyond: 16,
  amount_mismatch: 17,
  card_unknown: 20,
  card_blocked: 21,
  card_expired: 22,
  program_not_allowed: 23,
  insufficient_funds: 24,
  insufficient_funds_held: 25,
  original_unknown: 30,
  original_ambiguous: 31,
  original_mismatch: 32,
  reversed_before: 33,
  not_confirmable: 34,
  confirm_too_late: 35,
  not_reversible: 36,
  not_refundable: 37,
  not_expirable: 38,
  credit_expired: 26,
  account_frozen: 27,
  program_not_now: 28,
  goods_not_eligible: 29,
  processing_code_unsupported: 39,
  pin_wrong: 40,
  pin_tries_exceeded: 41,
  pin_unverifiable: 42,
  pin_replayed: 43,
  card_inactive: 44,
  card_replaced: 45,
  card_closed: 46,
  merchant_suspended: 47,
  terminal_suspended: 48,
  amount_below_minimum: 49,
  amount_limit: 50,
  count_limit: 51,
  share_limit: 52,
  budget_exhausted: 53,
  pays_alone_only: 54,
  program_closed: 55,
  organisation_unknown: 56,
  organisation_suspended: 57,
  funding_insufficient: 58,
  amount_too_large: 82,
  account_unknown: 59,
  other_content: 60,
  transfer_not_allowed: 76,
}
test('stored codes are as they were written', () => {
  for (const [reason, code] of Object.entries(written)) expect(reasonOfCode(code)).toBe(reason)
})
