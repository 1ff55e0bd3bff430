import { writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { describe, expect, test } from 'vitest'
import { filledMax, largeLoadMin } from '../src/core/money.ts'
import { panToken } from '../src/crypto/hash.ts'
import { openPan, vaultKeyOf } from '../src/crypto/pan-vault.ts'
import { readCatalogs } from '../src/store/catalog.ts'
import * as make from './support/core.ts'
import {
  brokenIn,
  importing,
  ledger,
  national,
  pan,
  panKey,
  path,
  rejectsOf,
  reportOf,
  rowsOf,
  start,
  stateOfAll,
  useFile,
  useImports,
  useNewFile,
} from './support/import-stage.ts'

useImports()

test('a first load: holders, cards, vault and opening balances, and the books hold', async () => {
  const lines = Array.from(
    { length: 50 },
    (_, n) => `${pan(100 + n)},P${n},Person ${n},0912000${String(1000 + n)},${national(200_000 + n)},${1000 + n}`,
  )
  writeFileSync(path, ['card_number,reference,name,mobile,national code,amount', ...lines].join('\n'))
  expect(await reportOf('cards', '--batch', '20')).toMatchObject({
    status: 0,
    isFinished: true,
    cardholders: 50,
    cards: 50,
    loads: 50,
    loaded: { welfare: '51225' },
    rejected: 0,
  })
  const token = panToken(pan(107), panKey)
  const [row] = await rowsOf(
    `SELECT c.tenant, c.last4, c.status, c.kind, p.code AS program, h.reference, h.name, h.mobile, h.national_last,
       v.sealed, l.credits_posted, l.program AS lot_program, m.balance, m.reason, m.actor
     FROM cards c JOIN cardholder_profiles h ON h.tenant = c.tenant AND h.holder = c.holder
     JOIN pan_vault v ON v.tenant = c.tenant AND v.token = c.token
     JOIN programs p ON p.tenant = c.tenant AND p.id = c.program
     JOIN lots l ON l.tenant = c.tenant AND l.holder = c.holder
     JOIN lot_movements m ON m.tenant = l.tenant AND m.lot = l.lot WHERE c.token = $1::uuid`,
    token,
  )
  const { tenant, sealed, ...rest } = row
  expect(openPan(vaultKeyOf(panKey), sealed, { tenant, token })).toBe(pan(107))
  expect(rest).toMatchObject({
    ...{ last4: pan(107).slice(-4), status: 0, kind: 0, program: 'welfare', reference: 'P7', name: 'Person 7' },
    ...{ mobile: '+989120001007', national_last: national(200_007).slice(-4), credits_posted: '1007', balance: '1007' },
    ...{ lot_program: 2, reason: 'import' },
  })
  expect(rest.actor).toMatch(/^charsu import \d+$/)
  const paid = await ledger.engine().submit({
    ...{ kind: 'authorize', tenant, channel: 'api', key: 'ab'.repeat(16), day: null, content: '00', card: token },
    ...{ merchant: 'M00000000000001', terminal: 'T0000001', currency: 'IRR', amount: 1007n, purpose: 'purchase' },
    ...{ capture: true, partial: false, eligibleAmount: null, basket: null, confirmWithinSeconds: null },
    ...{ reference: null, rrn: null, stan: null },
  } as const)
  expect(paid).toMatchObject({ kind: 'decided', decision: { reason: 'approved' } })
  expect(await brokenIn()).toEqual([])
})

describe('duplicates', () => {
  test('within the file and in the database are told apart, and nothing is loaded twice', async () => {
    const line = (n: number, reference: string, code = ''): string => `${pan(n)},${reference},${code},100`
    const text = [
      'pan,reference,nationalCode,amount',
      line(400, 'D0', national(300_000)),
      line(400, 'D1'),
      // A second card of the same holder, then one whose reference and national code lead to two people.
      line(401, 'D0'),
      line(402, 'D2', national(300_002)),
      line(403, 'D0', national(300_002)),
      line(404, '', national(300_002)),
    ].join('\n')
    writeFileSync(path, text)
    expect(await reportOf('cards', '--batch', '2')).toMatchObject({
      ...{ status: 1, cards: 4, cardholders: 2, loads: 4, duplicatesInFile: 1, alreadyThere: 0, rejected: 1 },
    })
    expect(rejectsOf(path)).toEqual([
      ['3', 'pan', 'duplicate_in_file', `…${pan(400).slice(-4)}`],
      ['6', 'nationalCode', 'other_holder', `…${national(300_002).slice(-4)}`],
    ])
    const before = await stateOfAll()
    const again = await importing('cards', '--batch', '2')
    expect(again).toMatchObject({ status: 0, err: expect.stringMatching(/has been imported/) })
    expect(await stateOfAll()).toBe(before)
    const report = await reportOf('cards', '--again')
    expect(report).toMatchObject({ status: 1, cards: 0, loads: 0, alreadyThere: 5, rejected: 1 })
    const cards = await rowsOf(
      `SELECT count(*)::integer AS cards, count(DISTINCT holder)::integer AS holders FROM cards
       WHERE tenant = $1 AND token = ANY ($2::uuid[])`,
      ledger.catalog.tenant.id,
      [400, 401, 402, 403, 404].map(n => panToken(pan(n), panKey)),
    )
    expect(cards).toEqual([{ cards: 4, holders: 2 }])
    expect(await brokenIn()).toEqual([])
  })

  test('cardholders that come first are those that their cards find', async () => {
    const holders = ['reference,name,national', `H1,One,${national(400_001)}`, `H2,Two,`, 'H1,Again,', ',No name,']
    writeFileSync(path, holders.join('\n'))
    expect(await reportOf('cardholders')).toMatchObject({ cardholders: 2, duplicatesInFile: 1, rejected: 1 })
    useFile(`${path}.cards`)
    writeFileSync(path, ['pan,reference,national', `${pan(410)},H1,`, `${pan(411)},,${national(400_001)}`].join('\n'))
    expect(await reportOf('cards')).toMatchObject({ status: 0, cards: 2, cardholders: 0 })
    const [row] = await rowsOf(
      `SELECT array_agg(DISTINCT h.name) AS names, count(*)::integer AS cards FROM cards c
       JOIN cardholder_profiles h USING (tenant, holder) WHERE c.token = ANY ($1::uuid[])`,
      [410, 411].map(n => panToken(pan(n), panKey)),
    )
    expect(row).toEqual({ names: ['One'], cards: 2 })
  })
})

test('a dry run tells the same and changes nothing', async () => {
  const lines = [500, 501, 500, 502, 501].map((n, index) => `${pan(n)},Y${index},${index === 3 ? '-1' : '7'}`)
  writeFileSync(path, ['pan,reference,amount', ...lines].join('\n'))
  const before = await stateOfAll()
  const { isDry, seconds: _, ...dry } = await reportOf('cards', '--dry-run', '--batch', '2')
  expect(await stateOfAll()).toBe(before)
  const rejects = rejectsOf(path)
  const { isDry: isReal, seconds: __, ...real } = await reportOf('cards', '--batch', '2')
  expect([isDry, isReal]).toEqual([true, false])
  expect(dry).toEqual(real)
  expect(dry).toMatchObject({ cards: 2, duplicatesInFile: 2, rejected: 1, loaded: { welfare: '14' } })
  expect(rejectsOf(path)).toEqual(rejects)
})

test('killed in the middle, it goes on where it was: nothing twice, nothing missing, all rejects', async () => {
  const count = 6_000
  const lines = Array.from({ length: count }, (_, n) => `${n % 100 === 7 ? '' : pan(10_000 + n)},K${n},${n + 1}`)
  writeFileSync(path, ['pan,reference,amount', ...lines].join('\n'))
  const run = (...args: string[]) => start(['--kind', 'cards', '--file', path, '--batch', '50', ...args])
  let kills = 0
  const linesDone = async (): Promise<number> => {
    const [row] = await rowsOf('SELECT lines FROM imports WHERE file_name = $1', basename(path))
    return Number(row?.lines ?? 0)
  }
  for (const target of [500, 2_000, 3_500]) {
    const { child, done } = run(...(kills === 0 ? [] : ['--resume']))
    while ((await linesDone()) < target && child.exitCode === null) await new Promise(end => setTimeout(end, 5))
    child.kill('SIGKILL')
    expect((await done).status).toBe(null)
    kills += 1
    expect(await linesDone()).toBeLessThan(count)
  }
  const without = await importing('cards')
  expect(without).toMatchObject({ status: 2, err: expect.stringMatching(/interrupted after line \d+: --resume/) })
  const other = await importing('cards', '--resume', '--program', 'credit')
  expect(other).toMatchObject({ status: 2, err: expect.stringMatching(/mapping and options that it began with/) })
  const { done } = run('--resume', '--json')
  const { status, out } = await done
  expect(status).toBe(1)
  const loaded = Array.from({ length: count }, (_, n) => (n % 100 === 7 ? 0 : n + 1)).reduce((sum, one) => sum + one, 0)
  const expected = { cards: count - 60, cardholders: count - 60, loads: count - 60, rejected: 60 }
  expect(JSON.parse(out)).toMatchObject({ ...expected, loaded: { welfare: String(loaded) }, alreadyThere: 0 })
  expect(rejectsOf(path)).toEqual(Array.from({ length: 60 }, (_, n) => [String(n * 100 + 7 + 2), 'pan', 'missing', '']))
  const [row] = await rowsOf(
    `SELECT count(*)::integer AS cards, sum(l.credits_posted)::integer AS loaded
     FROM cardholder_profiles h JOIN cards c USING (tenant, holder) JOIN lots l USING (tenant, holder)
     WHERE h.reference ~ '^K[0-9]+$'`,
  )
  expect(row).toEqual({ cards: count - 60, loaded })
  expect(
    await rowsOf("SELECT after->>'cards' AS cards FROM audit_log WHERE action = 'import' ORDER BY id DESC LIMIT 1"),
  ).toEqual([{ cards: String(count - 60) }])
  expect(await brokenIn()).toEqual([])
}, 120_000)

test('an organisation loads no more than its contract allows: such a line is left out as a whole', async () => {
  await ledger.pool.query(
    `WITH a AS (INSERT INTO accounts VALUES (1, nextval('catalog_account_seq'), 'funding', 1, 'acme') RETURNING id)
     INSERT INTO organisations (tenant, id, code, name, account, contract, credit_limit)
     SELECT 1, 9, 'acme', 'Acme', id, 'credit_line', 250 FROM a`,
  )
  await ledger.pool.query('INSERT INTO organisation_counters (tenant, organisation) VALUES (1, 9)')
  const lines = [600, 601, 602, 603].map((n, index) => `${pan(n)},F${index},${index === 3 ? 50 : 100}`)
  writeFileSync(path, ['pan,reference,amount', ...lines].join('\n'))
  const report = await reportOf('cards', '--funder', 'acme')
  expect(report).toMatchObject({
    status: 1,
    cards: 3,
    cardholders: 3,
    loads: 3,
    loaded: { welfare: '250' },
    rejected: 1,
  })
  expect(rejectsOf(path)).toEqual([['4', 'amount', 'funding_insufficient', '100']])
  expect(await rowsOf("SELECT 1 FROM cardholder_profiles WHERE reference = 'F2'")).toEqual([])
  expect(await rowsOf('SELECT balance FROM organisation_counters WHERE organisation = 9')).toEqual([
    { balance: '-250' },
  ])
  expect(await brokenIn()).toEqual([])
})

test('another card of somebody: no more than an account can hold, and frozen if the account is', async () => {
  await ledger.pool.query(
    `WITH a AS (INSERT INTO accounts VALUES (1, nextval('catalog_account_seq'), 'funding', 1, 'rich') RETURNING id)
     INSERT INTO organisations (tenant, id, code, name, account, contract)
     SELECT 1, 10, 'rich', 'Rich', id, 'unlimited' FROM a`,
  )
  await ledger.pool.query('INSERT INTO organisation_counters (tenant, organisation) VALUES (1, 10)')
  const send = (n: number, amount: bigint) => {
    useNewFile()
    writeFileSync(path, `pan,reference,amount\n${pan(n)},G1,${amount}`)
    return reportOf('cards', '--funder', 'rich')
  }
  expect(await send(620, 1n)).toMatchObject({ loads: 1 })
  const [{ holder, program }] = await rowsOf(
    "SELECT l.* FROM lots l JOIN cardholder_profiles p ON p.holder = l.holder WHERE reference = 'G1'",
  )
  const most = 10n ** 15n - 1n
  const command = make.load(Number(holder), filledMax - 1n - most, { tenant: ledger.catalog.tenant.id, program })
  const left = await ledger.engine().submit(command)
  expect(left).toMatchObject({ decision: { reason: 'approved' } })
  await ledger.pool.query('UPDATE lots SET status = 1 WHERE holder = $1', [holder])
  expect(await send(621, most)).toMatchObject({ cards: 1, loads: 1 })
  expect(await send(622, largeLoadMin)).toMatchObject({ cards: 0, loads: 0, rejected: 1 })
  expect(rejectsOf(path)).toEqual([['2', 'amount', 'amount_too_large', String(largeLoadMin)]])
  expect(await rowsOf('SELECT count(*)::integer, min(status) FROM lots WHERE holder = $1', holder)).toEqual([
    { count: 3, min: 1 },
  ])
  expect(await brokenIn()).toEqual([])
})

test('merchants and terminals, which a running switch then reads', async () => {
  const version = async () => (await rowsOf('SELECT catalog_version FROM tenants'))[0]?.catalog_version
  const before = await version()
  writeFileSync(
    path,
    [
      'code,name,صنف,groups,iban',
      'SHOP1,فروشگاه يك,5411,a؛b;c,IR1',
      'SHOP1,Twice,,,',
      'SHOP 2,Bad,,,',
      'M00000000000001,There,,,',
    ].join('\n'),
  )
  expect(await reportOf('merchants', '--dry-run')).toMatchObject({ merchants: 1, duplicatesInFile: 1, alreadyThere: 1 })
  expect(await version()).toBe(before)
  expect(await reportOf('merchants')).toMatchObject({ status: 1, merchants: 1, duplicatesInFile: 1, alreadyThere: 1 })
  expect(rejectsOf(path).map(([line, field, reason]) => [line, field, reason])).toEqual([
    ['3', 'code', 'duplicate_in_file'],
    ['4', 'code', 'code_invalid'],
    ['5', 'code', 'already_there'],
  ])
  useFile(`${path}.terminals`)
  const terminals = ['TM1,SHOP1,web,implicit,بله', 'TM2,NOBODY,,,', 'TM3,SHOP1,phone,,', 'TM4,SHOP1,,,']
  writeFileSync(path, ['terminal,merchant,channel,confirmation,partial', ...terminals].join('\n'))
  expect(await reportOf('terminals')).toMatchObject({ status: 1, terminals: 2, rejected: 2 })
  const catalog = (await readCatalogs(ledger.pool)).get(ledger.catalog.tenant.id)
  const shop = catalog?.merchantsByCode.get('SHOP1')
  expect(shop).toMatchObject({ name: 'فروشگاه یک', category: '5411', groups: ['a؛b', 'c'] })
  expect(catalog?.terminalsByCode.get('TM1')).toMatchObject({
    ...{ merchant: shop?.id, confirmation: 'implicit', partial: true },
  })
  expect(catalog?.terminalsByCode.get('TM4')).toMatchObject({ confirmation: 'explicit', partial: false })
  expect(BigInt(await version()) > BigInt(before)).toBe(true)
  expect(await brokenIn()).toEqual([])
})
