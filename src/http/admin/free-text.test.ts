import { afterAll, beforeAll, expect, test } from 'vitest'
import { startAdmin, type TestAdmin } from '../../../test/support/admin.ts'
import { tellRequest } from './approval-requests.ts'
import { cardNumbersIn } from './free-text.ts'

let admin: TestAdmin
beforeAll(async () => {
  admin = await startAdmin()
})
afterAll(() => admin.close())

const pan = '9364000000000019'

test.each([
  ['POST', 'organisations', { code: 'a', name: 'A', contractNumber: pan }, '/contractNumber'],
  ['POST', 'organisations/bazaar/deposits', { amount: 1, reason: `of ${pan}` }, '/reason'],
  ['POST', 'merchants', { code: 'M1', name: `Shop ${pan}` }, '/name'],
  ['POST', 'cardholders', { reference: pan }, '/reference'],
  ['POST', 'cards/1/block', { reason: `found ${pan}` }, '/reason'],
  ['POST', 'cardholders/1/accounts/credit/freeze', { reason: '۹۳۶۴۰۰۰۰۰۰۰۰۰۰۱۹' }, '/reason'],
  ['POST', 'loads', { cardholder: '1', program: 'credit', amount: 1, reference: '9364 0000 0000 0019' }, '/reference'],
  ['POST', 'approvals/1/reject', { note: pan }, '/note'],
  ['POST', 'api-keys', { label: pan, role: 'auditor' }, '/label'],
] as const)('no card number is kept in the words of %s %s', async (method, path, body, field) => {
  const answer = await admin.call(method, `/admin/v1/${path}`, { body })
  expect([answer.status, answer.json.errors]).toEqual([400, [{ field, message: 'must not look like a card number' }]])
})

test('other numbers are words like any', () => {
  expect(cardNumbersIn({ reason: 'bill 1400123456789012', name: 'Shop 24', amount: 936_400_000_000_001 })).toEqual([])
})

test('a column of a file that is not known is told without the numbers in its title', async () => {
  const answer = await admin.call('POST', '/admin/v1/load-files?program=welfare&funder=bazaar', {
    body: `card,amount,${pan},۰۰۱۲۳۴۵۶۷۹,note\n${pan},5,,,\n`,
    headers: { 'content-type': 'text/csv' },
  })
  expect(answer.json.ignoredColumns).toEqual(['…', '…', 'note'])
})

test('a file of another kind is refused by name', async () => {
  const headers = { 'content-type': 'application/vnd.ms-excel' }
  const answer = await admin.call('POST', '/admin/v1/load-files', { body: 'x', headers })
  expect([answer.status, answer.json.errors[0].message]).toEqual([415, expect.stringContaining('text/csv')])
})

test('the codes of vouchers cannot be tried where tries are not counted', async () => {
  const body = { card: { code: '7K3M-9QXV-2B4D-HNTC' }, program: 'credit', funder: 'bazaar', amount: 1 }
  const answer = await admin.call('POST', '/admin/v1/loads', { body })
  expect([answer.status, answer.json.errors[0].field]).toEqual([400, '/card/code'])
})

test('whoever decides a request reads it as the API names things', () => {
  const catalog = admin.ledger.catalog
  const note = { reason: 'why', reference: null, actor: 'finance' }
  const load = { kind: 'load', holder: 7, program: 1, funder: 1, amount: '5000', expiresAt: 'terms', note }
  expect(tellRequest(load, catalog)).toEqual({
    kind: 'load',
    cardholder: '7',
    program: 'credit',
    funder: 'bazaar',
    amount: 5_000,
    reason: 'why',
    reference: null,
  })
  const schedule = {
    program: 1,
    minute: 510,
    holders: 'list',
    members: [
      [7, null],
      [8, '5'],
    ],
  }
  expect(tellRequest(schedule, catalog)).toEqual({
    program: 'credit',
    time: '08:30',
    holders: 'list',
    members: [{ cardholder: '7' }, { cardholder: '8', amount: 5 }],
  })
})

test('the description of the API has the kinds of files that are taken', async () => {
  const { json } = await admin.call('GET', '/openapi.json', { key: null })
  const { requestBody, responses } = json.paths['/admin/v1/load-files'].post
  expect(Object.keys(requestBody.content)).toContain('text/csv')
  expect(Object.keys(responses)).toEqual(expect.arrayContaining(['413', '415']))
})
