import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createLog } from './log.ts'
import { maskCardNumbers } from './mask.ts'
import type { ApiTransaction, TerminalTransaction } from './transaction-log.ts'

const pan = '4000000000000002'
const terminal: TerminalTransaction = {
  mti: '0200',
  kind: 'authorize',
  reason: 'approved',
  de39: '00',
  replayed: false,
  tenant: 1,
  terminal: 'T0000001',
  merchant: 'M00000000000001',
  stan: '000101',
  rrn: '63250000014H',
  amount: '000000900000',
  micros: 3_912,
}
const api: ApiTransaction = {
  tenant: 1,
  client: 2,
  command: 'confirm',
  transaction: 'dmhr9cdp69',
  rrn: '63250000004X',
  merchant: 'M00000000000001',
  terminal: null,
  currency: 'IRR',
  phase: 'confirmed',
  reason: 'approved',
  responseCode: '00',
  replayed: true,
  elapsedMs: 4.1239,
  amount: 250_000n,
}

function logged(level = 'info') {
  const lines: string[] = []
  const log = createLog(level, { write: line => void lines.push(line) })
  return { log, lines }
}

const withoutTime = (line: string | undefined): string | undefined => line?.replace(/"time":"[^"]+"/, '"time":""')

/** What a pino logger makes of the same fields. */
function expected(fields: object): string | undefined {
  const masked = Object.entries(fields).map(([name, value]) => [
    name,
    typeof value === 'string' ? maskCardNumbers(value) : value,
  ])
  const { log, lines } = logged()
  log.info(Object.fromEntries(masked), 'transaction')
  return withoutTime(lines[0])
}

const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.tuple(fc.string({ maxLength: 2 }), fc.constantFrom(pan, '0', '1234567890123')).map(parts => parts.join('')),
  fc.constantFrom('\u0001', '"', '\\', 'é', '\ud800', ' ', '.').map(character => character + pan),
  fc.string({ unit: fc.constantFrom(...'0123456789 .M-"\\'), maxLength: 24 }),
)
const textsOrNone = fc.option(texts)

test('a message of a terminal is the line that the logger would write', () => {
  const amounts = fc.option(fc.integer({ min: 0, max: 999_999_999_999 }))
  fc.assert(
    fc.property(
      fc.record({ rrn: textsOrNone, merchant: textsOrNone, terminal: textsOrNone, stan: texts, reason: textsOrNone }),
      fc.record({ tenant: fc.option(fc.nat()), replayed: fc.boolean(), micros: fc.nat(), de39: textsOrNone }),
      fc.tuple(textsOrNone, amounts),
      (codes, rest, [transaction, amount]) => {
        const { log, lines } = logged()
        const record = { ...terminal, ...codes, ...rest, amount: amount?.toString().padStart(12, '0') ?? null }
        log.transactions.terminal(record, transaction)
        const { mti, reason, replayed, tenant, merchant, stan, rrn } = record
        expect(lines.map(withoutTime)).toEqual([
          expected({
            ...{ channel: 'terminal', command: record.kind, transaction, mti, reason, replayed, tenant },
            ...{ terminal: record.terminal, merchant, stan, rrn, responseCode: record.de39 },
            ...{ amount: amount?.toString() ?? null, elapsedMs: record.micros / 1000 },
          }),
        ])
        expect(lines.join()).not.toMatch(new RegExp(`(?<![0-9A-Za-z.])${pan}(?![0-9A-Za-z])`))
      },
    ),
  )
})

test('a command by HTTP is the line that the logger would write', () => {
  fc.assert(
    fc.property(texts, textsOrNone, fc.option(fc.bigInt({ min: 0n, max: 10n ** 12n })), (reason, rrn, amount) => {
      const { log, lines } = logged()
      log.transactions.api({ ...api, reason, rrn, amount })
      const { elapsedMs: _, ...fields } = { channel: 'api', ...api, reason, rrn }
      const last = { elapsedMs: 4.124, amount: amount?.toString() ?? null }
      const { amount: __, ...named } = fields
      expect(lines.map(withoutTime)).toEqual([expected({ ...named, ...last })])
    }),
  )
})

test.each([
  // merchant, as it is written
  ['M00000000000001', '"M00000000000001"'],
  [pan, '"************0002"'],
  [` ${pan}`, '" ************0002"'],
  [`\u0001${pan}`, '"\\u0001************0002"'],
  [`"${pan}`, '"\\"************0002"'],
])('the merchant %j is written as %s', (merchant, text) => {
  const { log, lines } = logged()
  log.transactions.terminal({ ...terminal, merchant }, null)
  expect(lines[0]).toContain(`"merchant":${text},`)
})

test('an amount of other characters than digits is written as it came', () => {
  const { log, lines } = logged()
  log.transactions.terminal({ ...terminal, amount: 'C00000000012' }, null)
  expect(JSON.parse(lines[0]!)).toMatchObject({ amount: 'C00000000012', time: expect.stringMatching(/^\d{4}-.*Z$/) })
})

test('above the level info there are no lines of transactions', () => {
  const { log, lines } = logged('warn')
  log.transactions.terminal(terminal, null)
  log.transactions.api(api)
  expect(lines).toEqual([])
})
