import { afterEach, describe, expect, test, vi } from 'vitest'
import { runTerminal } from '../src/cli/terminal.ts'
import { connectIsoClient } from '../src/iso8583/client.ts'
import {
  about,
  fresh,
  localPort,
  nextStan,
  port,
  purchase,
  send,
  sentAt,
  spendable,
  useIsoLedger,
} from './support/iso-ledger.ts'
import { dialect, frameOf, RawTerminal } from './support/iso-server.ts'
import { type Elements, messageOf, originalElements, panOfCard } from './support/terminal.ts'

useIsoLedger()

test('a purchase: 0200, 0210, 0202, 0212', async () => {
  const before = await spendable(20)
  const elements = fresh({ 2: panOfCard(20) })
  const authorized = await send('0200', elements)
  expect(authorized).toEqual({
    0: '0210',
    ...elements,
    15: expect.any(String),
    37: expect.any(String),
    38: expect.any(String),
    39: '00',
  })
  expect(await spendable(20)).toBe(before - 1000n)
  const confirm = about('0200', elements)
  const { 2: _card, ...sent } = confirm
  const confirmed = await send('0202', confirm)
  expect(confirmed).toEqual({
    0: '0212',
    ...sent,
    15: authorized[15],
    37: authorized[37],
    38: authorized[38],
    39: '00',
  })
  expect(await spendable(20)).toBe(before - 1000n)
})

describe('answers', () => {
  test.each<[string, Elements, object]>([
    ['0200', { 2: '9364000000000010' }, { 39: '14', 44: 'card_unknown' }],
    ['0200', { 4: '000000000000' }, { 39: '13', 44: 'amount_invalid' }],
    ['0200', { 4: '999999999999' }, { 39: '51', 44: 'insufficient_funds' }],
    ['0200', { 49: '840' }, { 39: '12', 44: 'currency_unsupported' }],
    ['0200', { 42: 'M99999999999999' }, { 39: '03', 44: 'merchant_unknown' }],
    ['0200', { 41: 'T9999999' }, { 39: '58', 44: 'terminal_unknown' }],
    ['0200', { 41: 'T0000003' }, { 39: '58', 44: 'terminal_not_of_merchant' }],
    ['0200', { 3: '090000' }, { 39: '40' }],
    ['0200', { 4: undefined }, { 39: '30', 44: 'DE4 missing' }],
    ['0100', {}, { 0: '0110', 39: '00' }],
    ['0202', { 90: originalElements('0200', '999999', '0101000000') }, { 39: '25', 44: 'original_unknown' }],
    ['0200', { 3: '200000', 37: 'UNKNOWN00000' }, { 39: '25', 44: 'original_unknown' }],
    ['0120', {}, { 0: '0130', 39: '58' }],
    ['0220', {}, { 0: '0230', 39: '58' }],
    ['0500', {}, { 0: '0510', 39: '40' }],
    ['0800', { 70: '301' }, { 0: '0810', 39: '00', 70: '301' }],
  ])('%s %o: %o', async (mti, over, expected) => {
    expect(await send(mti, fresh(over))).toMatchObject(expected)
  })
})

describe('one key, one effect', () => {
  test('64 copies at once, on many connections: one effect and the same answer', async () => {
    const before = await spendable(21)
    const request = messageOf('0200', fresh({ 2: panOfCard(21) }))
    const clients = await Promise.all(
      Array.from({ length: 8 }, () => connectIsoClient({ host: '127.0.0.1', port, dialect })),
    )
    const replies = await Promise.all(Array.from({ length: 64 }, (_, n) => clients[n % 8]!.send(request)))
    const bytes = new Set(replies.map(reply => dialect.pack(reply).toString()))
    expect(bytes.size).toBe(1)
    expect(replies[0]?.fields[39]).toBe('00')
    expect(await spendable(21)).toBe(before - 1000n)
    await Promise.all(clients.map(other => other.close()))
  })

  test('a repeat gets the stored answer, also once the transaction has moved on', async () => {
    const elements = fresh()
    const first = await send('0200', elements)
    await send('0202', about('0200', elements))
    expect(await send('0201', elements)).toEqual(first)
  })

  test.each<[string, string, Elements, string]>([
    ['0200', '0201', { 4: '000000001001' }, 'DE4 differs'],
    ['0200', '0200', { 2: panOfCard(2) }, 'DE2 differs'],
    ['0200', '0201', { 49: '840' }, 'DE49 differs'],
    ['0202', '0203', { 4: '000000000999' }, 'DE4 differs'],
    ['0202', '0203', { 39: '17' }, 'DE39 differs'],
    ['0400', '0401', { 95: `000000000500${'0'.repeat(30)}` }, 'DE95 differs'],
  ])('%s, then %s with %o: 94, and no effect', async (mti, repeat, altered, detail) => {
    const original = await purchase()
    const elements = mti === '0200' ? original : about('0200', original)
    const first = mti === '0200' ? undefined : await send(mti, elements)
    expect(await send(repeat, { ...elements, ...altered })).toMatchObject({ 39: '94', 44: detail })
    if (first !== undefined) expect(await send(mti, elements)).toEqual(first)
  })

  test('a refused request stays refused; a new STAN is a new attempt', async () => {
    const elements = fresh({ 2: panOfCard(22), 4: '000100000001' })
    const refused = await send('0200', elements)
    expect(refused).toMatchObject({ 39: '51' })
    expect(await send('0201', elements)).toEqual(refused)
    expect(await send('0200', { ...elements, 11: nextStan(), 4: '000000000001' })).toMatchObject({ 39: '00' })
  })

  test('the client is gone before its answer: the repeat finds it', async () => {
    const before = await spendable(23)
    const elements = fresh({ 2: panOfCard(23) })
    const gone = new RawTerminal(port)
    gone.socket.on('connect', () =>
      gone.socket.write(frameOf(messageOf('0200', elements)), () => gone.socket.resetAndDestroy()),
    )
    await gone.until(() => gone.isClosed)
    expect(await send('0201', elements)).toMatchObject({ 39: '00' })
    expect(await spendable(23)).toBe(before - 1000n)
  })

  test('with local identity a repeat may have another DE7', async () => {
    const local = await connectIsoClient({ host: '127.0.0.1', port: localPort, dialect })
    const elements = fresh({ 12: sentAt.slice(4), 13: sentAt.slice(0, 4), 7: '0101000000' })
    const first = await local.send(messageOf('0200', elements))
    const repeat = await local.send(messageOf('0201', { ...elements, 7: '0101000001' }))
    expect([first.fields[39], repeat.fields[38]]).toEqual(['00', first.fields[38]])
    const reverse = about('0200', elements, { 12: elements[12], 13: elements[13] })
    expect((await local.send(messageOf('0400', reverse))).fields[38]).toBe(first.fields[38])
    await local.close()
  })
})

describe('reverse', () => {
  test('of a hold gives it back; again, by any number: 00 with the same DE37 and DE38', async () => {
    const before = await spendable(24)
    const elements = fresh({ 2: panOfCard(24) })
    const authorized = await send('0200', elements)
    const reversed = await send('0400', about('0200', elements))
    expect(reversed).toMatchObject({ 0: '0410', 39: '00', 37: authorized[37], 38: authorized[38] })
    expect(await spendable(24)).toBe(before)
    expect(await send('0420', about('0200', elements))).toMatchObject({ 0: '0430', 39: '00', 38: authorized[38] })
    expect(await spendable(24)).toBe(before)
    expect(await send('0202', about('0200', elements))).toMatchObject({ 39: '12', 44: 'not_confirmable' })
  })

  test('overtakes its purchase: the purchase is refused when it comes, and so is its repeat', async () => {
    const before = await spendable(25)
    const elements = fresh({ 2: panOfCard(25) })
    expect(await send('0400', about('0200', elements))).toMatchObject({ 39: '00' })
    expect(await send('0200', elements)).toMatchObject({ 39: '12', 44: 'reversed_before' })
    expect(await send('0201', elements)).toMatchObject({ 39: '12', 44: 'reversed_before' })
    expect(await spendable(25)).toBe(before)
  })

  test('and purchase at once, 40 times: in either order nothing is left reserved', async () => {
    const before = await spendable(26)
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, async (_, n) => {
        const elements = fresh({ 2: panOfCard(26) })
        const requests = [() => send('0200', elements), () => send('0400', about('0200', elements))]
        if (n % 2 === 1) requests.reverse()
        return Promise.all(requests.map(request => request()))
      }),
    )
    const reversals = outcomes.flat().filter(reply => reply[0] === '0410')
    expect(reversals.map(reply => reply[39])).toEqual(Array.from({ length: 40 }, () => '00'))
    expect(await spendable(26)).toBe(before)
  })

  test('to what remains in force (DE95), then confirm of that', async () => {
    const before = await spendable(27)
    const elements = await purchase({ 2: panOfCard(27) })
    expect(await send('0400', about('0200', elements, { 95: `000000000400${'0'.repeat(30)}` }))).toMatchObject({
      39: '00',
    })
    expect(await spendable(27)).toBe(before - 400n)
    expect(await send('0202', about('0200', elements, { 4: undefined }))).toMatchObject({ 39: '00' })
    expect(await spendable(27)).toBe(before - 400n)
  })

  test('by DE37, and by DE90 without its time', async () => {
    const before = await spendable(28)
    const byNumber = fresh({ 2: panOfCard(28), 37: 'RRN000000028' })
    await send('0200', byNumber)
    expect(await send('0400', fresh({ 2: undefined, 37: 'RRN000000028' }))).toMatchObject({
      39: '00',
      37: 'RRN000000028',
    })
    const made = await send('0200', fresh({ 2: panOfCard(28) }))
    expect(await send('0400', fresh({ 2: undefined, 37: made[37] }))).toMatchObject({ 39: '00', 38: made[38] })
    const timeless = await purchase({ 2: panOfCard(28) })
    expect(await send('0400', about('0200', { ...timeless, 7: '0000000000' }))).toMatchObject({ 39: '00' })
    expect(await spendable(28)).toBe(before)
  })

  test.each<[string, Elements]>([
    ['card', { 2: panOfCard(2) }],
    ['amount', { 4: '000000000999' }],
  ])('with another %s has no effect', async (_name, over) => {
    const elements = await purchase({ 2: panOfCard(29) })
    const before = await spendable(29)
    const reply = await send('0400', about('0200', elements, over))
    expect(['12', '13']).toContain(reply[39])
    expect(await spendable(29)).toBe(before)
  })
})

describe('confirm', () => {
  test('of a confirmed one for the same amount is 00 with the same numbers; for another it is 12', async () => {
    const elements = await purchase()
    const confirmed = await send('0202', about('0200', elements))
    expect(await send('0202', about('0200', elements))).toMatchObject({
      39: '00',
      37: confirmed[37],
      38: confirmed[38],
    })
    expect(await send('0220', about('0200', elements))).toMatchObject({ 0: '0230', 39: '00', 38: confirmed[38] })
    expect(await send('0202', about('0200', elements, { 4: '000000000999' }))).toMatchObject({ 39: '12' })
  })

  test('16 partial ones of one hold at once: one has its effect', async () => {
    const before = await spendable(30)
    const elements = await purchase({ 2: panOfCard(30) })
    const replies = await Promise.all(
      Array.from({ length: 16 }, (_, n) =>
        send('0202', about('0200', elements, { 4: String(100 + n).padStart(12, '0') })),
      ),
    )
    expect(replies.filter(reply => reply[39] === '00')).toHaveLength(1)
    const confirmed = replies.findIndex(reply => reply[39] === '00')
    expect(await spendable(30)).toBe(before - 100n - BigInt(confirmed))
  })

  test('the word that the sale was not made (DE39) reverses', async () => {
    const before = await spendable(19)
    const elements = await purchase({ 2: panOfCard(19) })
    expect(await send('0202', about('0200', elements, { 39: '17' }))).toMatchObject({ 0: '0212', 39: '00' })
    expect(await spendable(19)).toBe(before)
  })

  test('implicit confirmation needs none; a refund by DE37, and the reverse of that', async () => {
    const before = await spendable(18)
    const bought = await send('0200', fresh({ 2: panOfCard(18), 41: 'T0000002' }))
    expect(bought).toMatchObject({ 39: '00' })
    const refund = fresh({ 2: undefined, 3: '200000', 4: '000000000300', 37: bought[37] })
    const refunded = await send('0200', refund)
    expect(refunded).toMatchObject({ 0: '0210', 39: '00', 37: bought[37] })
    expect(refunded[38]).not.toBe(bought[38])
    expect(await spendable(18)).toBe(before - 700n)
    expect(await send('0400', about('0200', refund, { 4: '000000000300' }))).toMatchObject({ 39: '00' })
    expect(await spendable(18)).toBe(before - 1000n)
  })

  test('a part is approved where the terminal understands it: DE39 10, DE4 and DE54', async () => {
    const whole = await spendable(17)
    const amount = String(whole + 5n).padStart(12, '0')
    const elements = fresh({ 2: panOfCard(17), 4: amount, 41: 'T0000002' })
    const approved = { 39: '10', 4: String(whole).padStart(12, '0'), 54: `0057364C${amount}` }
    expect(await send('0200', elements)).toMatchObject(approved)
    expect(await send('0201', elements)).toMatchObject(approved)
    expect(await spendable(17)).toBe(0n)
  })
})

describe('charsu terminal', () => {
  afterEach(() => vi.restoreAllMocks())

  async function run(...args: string[]) {
    const out: string[] = []
    vi.spyOn(console, 'log').mockImplementation(text => void out.push(String(text)))
    vi.spyOn(console, 'error').mockImplementation(text => void out.push(String(text)))
    const code = await runTerminal(args)
    vi.restoreAllMocks()
    return { code, text: out.join('\n') }
  }
  const here = () => ['--port', String(port)]

  test('purchase, then the commands that it prints', async () => {
    const { code, text } = await run('purchase', ...here())
    expect(code).toBe(0)
    expect(text).toContain('Primary account number')
    expect(text).toContain('936400******0019')
    expect(text).not.toContain(panOfCard(1))
    const [confirm, reverse] = [...text.matchAll(/^ {2}npx charsu terminal (.*)$/gm)].map(([, args]) =>
      args!.split(' '),
    )
    expect((await run(...confirm!)).text).toContain('Approved (00)')
    expect((await run(...reverse!)).code).toBe(0)
    expect((await run(...confirm!)).text).toContain('Refused (12)')
  })

  test('JSON, with what comes next', async () => {
    const { text } = await run('purchase', '--json', '--amount', '700', ...here())
    const { approved, request, reply, next } = JSON.parse(text)
    expect(approved).toBe(true)
    expect(request).toMatchObject({ mti: '0200', 2: '936400******0019', 4: '000000000700' })
    expect(reply).toMatchObject({ mti: '0210', 39: '00' })
    const confirm = next[0].split(' ').slice(3)
    expect(JSON.parse((await run(...confirm, '--json')).text).approved).toBe(true)
    const refund = await run('refund', '--rrn', reply[37], '--amount', '200', '--json', ...here())
    expect(JSON.parse(refund.text)).toMatchObject({ approved: true, reply: { 4: '000000000200' } })
  })

  test('balance and echo', async () => {
    expect((await run('balance', ...here())).text).toMatch(/Can be spent here +[0-9,]+ \(364\)/)
    expect(await run('echo', ...here())).toMatchObject({ code: 0, text: expect.stringContaining('0810') })
  })

  test.each<[string[], number, string]>([
    [['purchase', '--amount', '0'], 1, 'Refused (13): The amount must be more than zero.'],
    [['purchase', '--amount', '1.5'], 2, '--amount'],
    [['purchase', '--merchant', 'a very long merchant code'], 2, '--merchant'],
    [['confirm'], 2, '--original'],
    [['confirm', '--original', '0200'], 2, '--original'],
    [['refund', '--rrn', '1'], 2, '--amount'],
    [['dance'], 2, 'no such command: dance'],
    [['purchase', '--nothing'], 2, '--nothing'],
    [[], 2, 'Usage'],
    [['--help'], 0, 'Usage'],
  ])('%j ends with %i: %s', async (args, code, told) => {
    expect(await run(...args, ...here())).toMatchObject({ code, text: expect.stringContaining(told) })
  })

  test('nobody answers', async () => {
    expect(await run('echo', '--port', '1')).toMatchObject({ code: 2 })
  })
})
