import { expect, test } from 'vitest'
import type { TransactionBody } from './render.ts'
import { transactionJson } from './render-json.ts'

const leg = { program: 'credit', lot: '17', funder: 'bazaar', account: '17', amount: 150_000 }
const body: TransactionBody = {
  id: 'dmbf3k2x8g',
  kind: 'purchase',
  phase: 'authorized',
  amount: { requested: 250_000, authorized: 250_000, confirmed: 0, reversed: 0, refunded: 0 },
  currency: 'IRR',
  approvalCode: '0000A7',
  rrn: '6325000000A7',
  reference: 'bill-1001',
  merchant: 'M00000000000001',
  terminal: 'T0000001',
  original: null,
  businessDate: '2026-11-21',
  createdAt: '2026-11-21T08:30:00.123456Z',
  expiresAt: '2026-11-21T08:45:00.123456Z',
  legs: [leg, { ...leg, lot: '18', account: '18' }],
  reason: 'approved',
}

test.each<[string, Partial<TransactionBody>]>([
  ['an approval', {}],
  ['the largest amounts', { amount: { ...body.amount, requested: Number.MAX_SAFE_INTEGER } }],
  ['nothing known', { id: null, kind: null, rrn: null, reference: null, legs: [], reason: null, createdAt: null }],
  ['quotes and backslashes', { merchant: '"\\', terminal: 'a"b', rrn: '""', currency: '\\"' }],
  ['control characters', { reference: 'a\u0000\u001f\n\u007f\u2028' }],
  ['Persian with joiners', { reference: 'می\u200cخواهم ۱۲' }],
  ['characters of two halves, and a half alone', { reference: '🧾 \ud83e' }],
  ['codes of programs with quotes', { legs: [{ ...leg, program: '"', funder: '\\' }] }],
])('the same as JSON.stringify: %s', (_name, change) => {
  const changed = { ...body, ...change }
  expect(transactionJson(changed)).toBe(JSON.stringify(changed))
})
