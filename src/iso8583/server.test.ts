import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import {
  FakeEngine,
  frameOf,
  RawTerminal,
  startIso,
  type TestSwitch,
  type TestSwitchOptions,
} from '../../test/support/iso-server.ts'
import { type Elements, elementsOf, messageOf, panOfCard, purchaseElements } from '../../test/support/terminal.ts'

let open: TestSwitch | undefined
let terminals: RawTerminal[] = []
afterEach(async () => {
  for (const { socket } of terminals) socket.destroy()
  terminals = []
  await open?.server.close(0)
})

async function start(options: TestSwitchOptions = {}) {
  const engine = new FakeEngine()
  open = await startIso(engine, options)
  return { ...open, engine, terminal: call(open.port) }
}

function call(port: number): RawTerminal {
  const terminal = new RawTerminal(port)
  terminals.push(terminal)
  return terminal
}

const purchase = (over: Elements = {}) => frameOf(messageOf('0200', { ...purchaseElements, ...over }))
const stanOf = (n: number): string => String(n).padStart(6, '0')
const purchases = (count: number) => Array.from({ length: count }, (_, n) => purchase({ 11: stanOf(n + 1) }))
const stansIn = (terminal: RawTerminal) => terminal.replies.map(({ fields }) => fields[11])
const allStans = (count: number) => Array.from({ length: count }, (_, n) => stanOf(n + 1))

describe('the byte stream, cut in any way', () => {
  test('one byte at a time', async () => {
    const { terminal } = await start()
    for (const byte of purchase()) {
      terminal.socket.write(Buffer.from([byte]))
      await pause(0)
    }
    expect((await terminal.take(1))[0]).toMatchObject({ mti: '0210' })
  })

  test('many frames in a packet, and the last one cut', async () => {
    const { terminal } = await start()
    const bytes = Buffer.concat(purchases(50))
    terminal.socket.write(bytes.subarray(0, bytes.length - 20))
    await terminal.take(49)
    terminal.socket.write(bytes.subarray(bytes.length - 20))
    await terminal.take(50)
    expect(stansIn(terminal)).toEqual(allStans(50))
  })

  test.each([1, 2, 3, 7, 100, 1000])('in pieces of %i bytes', async size => {
    const { terminal } = await start()
    const bytes = Buffer.concat(purchases(5))
    for (let at = 0; at < bytes.length; at += size) terminal.socket.write(bytes.subarray(at, at + size))
    await terminal.take(5)
    expect(stansIn(terminal)).toEqual(allStans(5))
  })

  test('empty frames, which some hosts send to keep a connection, are passed over', async () => {
    const { terminal } = await start()
    terminal.socket.write(Buffer.concat([Buffer.from([0, 0]), purchase(), Buffer.from([0, 0])]))
    expect(await terminal.take(1)).toHaveLength(1)
  })
})

describe('what cannot be understood', () => {
  test.each<[string, Buffer, string]>([
    ['an oversize length', Buffer.from([0xff, 0xff, 0x30]), 'bad_frame'],
    ['garbage that is a long frame', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'bad_frame'],
    ['garbage in a frame', Buffer.from([0, 4, 1, 2, 3, 4]), 'unreadable_message'],
    ['a message without a STAN', purchase({ 11: undefined }), 'unreadable_message'],
  ])('%s closes the connection, with a reason and without the bytes', async (_name, bytes, reason) => {
    const { terminal, lines, closed, engine } = await start()
    terminal.socket.write(Buffer.concat([purchase(), bytes, purchase()]))
    await terminal.ended()
    expect(terminal.replies).toHaveLength(1)
    expect(engine.submitted).toHaveLength(1)
    terminal.socket.end()
    await terminal.until(() => terminal.isClosed)
    await expect.poll(() => closed).toEqual([reason])
    const warnings = lines.filter(({ level }) => level === 'warn')
    expect(warnings).toHaveLength(1)
    expect(warnings[0]?.fields).toMatchObject({ reason })
    expect(JSON.stringify(warnings)).not.toContain('GET')
  })

  test('a letter in DE4 is answered with 30, and the connection goes on', async () => {
    const { terminal, engine } = await start()
    const bytes = purchase()
    bytes.write('x', bytes.indexOf('000000001000') + 3)
    terminal.socket.write(Buffer.concat([bytes, purchase({ 11: '000002' })]))
    const [malformed, good] = await terminal.take(2)
    expect(elementsOf(malformed!)).toMatchObject({ 11: '000001', 39: '30', 44: 'DE4 bad_character' })
    expect(elementsOf(good!)).toMatchObject({ 11: '000002', 39: '00' })
    expect(engine.submitted).toHaveLength(1)
  })

  test('bytes after the last element are answered with 30', async () => {
    const { terminal } = await start()
    const bytes = Buffer.concat([purchase(), Buffer.from('00')])
    bytes.writeUInt16BE(bytes.length - 2)
    terminal.socket.write(bytes)
    const [reply] = await terminal.take(1)
    expect(elementsOf(reply!)).toMatchObject({ 39: '30', 44: 'message trailing_bytes' })
  })

  test('a response is not answered, so that two switches cannot keep each other busy', async () => {
    const { terminal, engine } = await start()
    terminal.socket.write(Buffer.concat([frameOf(messageOf('0210', purchaseElements)), purchase({ 11: '000002' })]))
    await terminal.take(1)
    expect(stansIn(terminal)).toEqual(['000002'])
    expect(engine.submitted).toHaveLength(1)
  })
})

describe('answers', () => {
  test('in any order, each with what its request had', async () => {
    const { terminal, engine } = await start()
    engine.answersAtOnce = false
    terminal.socket.write(Buffer.concat(purchases(20)))
    await expect.poll(() => engine.submitted.length).toBe(20)
    engine.answerAll(count => Array.from({ length: count }, (_, index) => (index * 7) % count))
    await terminal.take(20)
    expect(stansIn(terminal).toSorted()).toEqual(allStans(20))
    expect(stansIn(terminal)).not.toEqual(allStans(20))
  })

  test('of one batch leave together', async () => {
    const { terminal, engine } = await start()
    engine.answersAtOnce = false
    terminal.socket.write(Buffer.concat(purchases(100)))
    await expect.poll(() => engine.submitted.length).toBe(100)
    let chunks = 0
    terminal.socket.on('data', () => chunks++)
    engine.answerAll()
    await terminal.take(100)
    expect(chunks).toBe(1)
  })

  test('an outcome in doubt, or an engine that failed: silence', async () => {
    const { terminal, engine, lines } = await start()
    const results = [{ kind: 'unknown' } as const]
    engine.respond = command => {
      const result = results.pop()
      if (result !== undefined) return result
      throw new Error(`no result for ${command.key}`)
    }
    terminal.socket.write(Buffer.concat(purchases(2)))
    terminal.socket.write(frameOf(messageOf('0800', { 7: '1121143000', 11: '000003', 70: '301' })))
    await terminal.take(1)
    expect(stansIn(terminal)).toEqual(['000003'])
    expect(lines.filter(({ level }) => level === 'error')).toHaveLength(1)
  })

  test('the client is gone before its answer', async () => {
    const { terminal, engine, closed, port } = await start()
    engine.answersAtOnce = false
    terminal.socket.write(purchase())
    await expect.poll(() => engine.submitted.length).toBe(1)
    terminal.socket.resetAndDestroy()
    await expect.poll(() => closed).toEqual(['peer'])
    engine.answerAll()
    engine.answersAtOnce = true
    const other = call(port)
    other.socket.write(purchase())
    expect(await other.take(1)).toHaveLength(1)
  })

  test('a client that has said all it has to say still gets its answers', async () => {
    const { terminal, engine } = await start()
    engine.answersAtOnce = false
    terminal.socket.end(Buffer.concat(purchases(3)))
    await expect.poll(() => engine.submitted.length).toBe(3)
    await pause(20)
    engine.answerAll()
    await terminal.until(() => terminal.isClosed)
    expect(stansIn(terminal)).toEqual(allStans(3))
  })

  test('TPDU: the addresses change over', async () => {
    const framing = { length: 'binary2', inclusive: false, tpdu: true, frameBytesMax: 8192 } as const
    const { terminal } = await start({ listener: { framing } })
    const bytes = Buffer.concat([Buffer.from([0, 0]), Buffer.from('6000010002', 'hex'), purchase().subarray(2)])
    bytes.writeUInt16BE(bytes.length - 2)
    let received = Buffer.alloc(0)
    terminal.socket.on('data', chunk => {
      received = Buffer.concat([received, chunk as Buffer])
    })
    terminal.socket.write(bytes)
    await expect.poll(() => received.length).toBeGreaterThan(7)
    expect(received.subarray(2, 7).toString('hex')).toBe('6000020001')
  })

  test('the tenant of a shared listener is that of DE32; another is refused', async () => {
    const { terminal } = await start({ listener: { tenant: new Map([['12345', 1]]) } })
    terminal.socket.write(Buffer.concat([purchase({ 32: '12345' }), purchase({ 11: '000002', 32: '54321' })]))
    const replies = await terminal.take(2)
    expect(replies.map(({ fields }) => fields[39])).toEqual(['58', '00'])
  })
})

describe('push-back', () => {
  test('a connection has at most so many in flight; the others wait and none is lost', async () => {
    const { terminal, engine } = await start({ limits: { inFlightMax: 4 } })
    engine.answersAtOnce = false
    terminal.socket.write(Buffer.concat(purchases(10)))
    await expect.poll(() => engine.submitted.length).toBe(4)
    await pause(20)
    expect(engine.submitted).toHaveLength(4)
    engine.answerAll()
    await expect.poll(() => engine.submitted.length).toBe(8)
    engine.answersAtOnce = true
    engine.answerAll()
    await terminal.take(10)
    expect(stansIn(terminal).toSorted()).toEqual(allStans(10))
  })

  test('while the engine is full nothing is read, refused or lost', async () => {
    const { terminal, engine, port } = await start()
    engine.isFull = true
    const other = call(port)
    terminal.socket.write(Buffer.concat(purchases(300)))
    other.socket.write(Buffer.concat(purchases(3)))
    await pause(50)
    expect(engine.submitted).toHaveLength(0)
    engine.respond = (respond => command => {
      if (engine.submitted.length % 10 === 0) engine.isFull = true
      return respond(command)
    })(engine.respond)
    for (let round = 0; round < 60 && terminal.replies.length + other.replies.length < 303; round++) {
      engine.drain()
      await pause(2)
    }
    engine.drain()
    await Promise.all([terminal.take(300), other.take(3)])
    expect(stansIn(terminal)).toEqual(allStans(300))
    expect(stansIn(other)).toEqual(allStans(3))
    expect(terminal.replies.every(({ fields }) => fields[39] === '00')).toBe(true)
  })

  test('one connection more than the limit is turned away', async () => {
    const { terminal, port, closed, server } = await start({ limits: { connectionsMax: 1 } })
    terminal.socket.write(purchase())
    await terminal.take(1)
    const other = call(port)
    await other.until(() => other.isClosed || other.isEnded)
    expect(closed).toEqual(['too_many'])
    expect(server.connectionCount).toBe(1)
  })
})

describe('time limits', () => {
  test.each<[string, (terminal: RawTerminal) => void, number, string]>([
    ['nothing comes', () => undefined, 900_001, 'idle'],
    ['a frame does not end', ({ socket }) => socket.write(purchase().subarray(0, 30)), 10_001, 'slow_frame'],
  ])('%s', async (_name, act, ms, reason) => {
    const { terminal, pass, closed, server } = await start({ limits: { lingerMs: 10 } })
    await expect.poll(() => server.connectionCount).toBe(1)
    act(terminal)
    await pause(30)
    pass(ms - 10)
    await pause(600)
    expect(closed).toEqual([])
    pass(20)
    await expect.poll(() => closed, { timeout: 3000 }).toEqual([reason])
  })

  test('a peer that takes no answers', async () => {
    const { terminal, pass, closed, engine } = await start({ limits: { unsentBytesMax: 1000 } })
    terminal.socket.pause()
    const bytes = Buffer.concat(purchases(1000))
    const more = setInterval(() => terminal.socket.writableLength < 1_000_000 && terminal.socket.write(bytes), 1)
    let before = -1
    while (engine.submitted.length !== before) {
      before = engine.submitted.length
      await pause(300)
    }
    clearInterval(more)
    await pause(600)
    pass(10_001)
    await expect.poll(() => closed, { timeout: 3000 }).toEqual(['slow_reader'])
  })
})

describe('drain', () => {
  test('what is in flight is answered, what comes after is not, and new connections are refused', async () => {
    const { terminal, engine, server, port, closed } = await start()
    engine.answersAtOnce = false
    terminal.socket.write(Buffer.concat(purchases(2)))
    await expect.poll(() => engine.submitted.length).toBe(2)
    const drained = server.close(5_000)
    terminal.socket.write(purchase({ 11: '000003' }))
    const late = call(port)
    await late.until(() => late.isClosed || late.isEnded)
    engine.answerAll()
    await terminal.ended()
    terminal.socket.end()
    await drained
    expect(stansIn(terminal)).toEqual(allStans(2))
    expect(engine.submitted).toHaveLength(2)
    expect(closed).toEqual(['drain'])
  })

  test('a peer that does not close its side is closed after a little while', async () => {
    const { terminal, server } = await start({ limits: { lingerMs: 20 } })
    terminal.socket.write(purchase())
    await terminal.take(1)
    await server.close(5_000)
    await terminal.until(() => terminal.isClosed || terminal.isEnded)
  })

  test('after the time limit everything is cut off', async () => {
    const { terminal, engine, server } = await start()
    engine.answersAtOnce = false
    terminal.socket.write(purchase())
    await expect.poll(() => engine.submitted.length).toBe(1)
    await server.close(50)
    expect(server.connectionCount).toBe(0)
    await terminal.until(() => terminal.isClosed || terminal.isEnded)
    expect(terminal.replies).toEqual([])
  })
})

test('one record for each message, with nothing of the card but its token', async () => {
  const { terminal, lines, records } = await start()
  const track = `${panOfCard(7)}=30121010000000`
  terminal.socket.write(
    Buffer.concat([
      purchase({ 2: panOfCard(7), 35: track, 52: '0123456789ABCDEF' }),
      purchase({ 2: panOfCard(7), 11: '000002', 35: '5' }),
      purchase({ 2: panOfCard(7), 4: undefined, 11: '000003' }),
    ]),
  )
  await terminal.take(3)
  expect(records).toHaveLength(3)
  const written = JSON.stringify([lines, records])
  expect(written).not.toContain(panOfCard(7).slice(6, 15))
  expect(written).not.toContain('0123456789ABCDEF')
  expect(records[0]).toMatchObject({ mti: '0200', reason: 'format_invalid', stan: '000002' })
})
