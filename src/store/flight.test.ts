import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FlightReader } from './flight.ts'
import { Session } from './session.ts'

const message = (type: string, rest: Uint8Array | string = ''): Buffer => {
  const bytes = Buffer.alloc(5 + Buffer.byteLength(rest))
  bytes.write(type)
  bytes.writeInt32BE(bytes.length - 1, 1)
  bytes.set(Buffer.from(rest), 5)
  return bytes
}

const parameter = message('S', 'TimeZone\0UTC\0')
const notice = message('N', 'SWARNING\0\0')
const ready = message('Z', 'I')
const bound = message('2')
/** One column: a number of four bytes. */
const row = (value: number): Buffer => message('D', Buffer.from([0, 1, 0, 0, 0, 4, 0, 0, 0, value]))
const complete = (tag: string): Buffer => message('C', `${tag}\0`)

/** A reader, and what it left to node-postgres. */
const open = () => {
  const reader = new FlightReader()
  const others: Buffer[] = []
  return {
    reader,
    take: (...bytes: Buffer[]): boolean => reader.take(Buffer.concat(bytes), one => others.push(Buffer.from(one))),
    others: (): Buffer => Buffer.concat(others),
  }
}

const shown = (reader: FlightReader): unknown =>
  reader.replies().map(({ rows, command }) => [command, rows.map(one => one.number())])

const answer = [bound, row(1), row(2), complete('SELECT 2'), notice, bound, complete('COMMIT')]
const answered = [
  ['SELECT', [1, 2]],
  ['COMMIT', []],
]

describe('a message that has begun before a flight', () => {
  test.each(Array.from({ length: parameter.length + 1 }, (_, cut) => cut))('cut after %d bytes', cut => {
    const { reader, take, others } = open()
    expect(take(ready, parameter.subarray(0, cut))).toBe(true)
    reader.begin()
    expect(take(parameter.subarray(cut), ...answer, ready)).toBe(true)
    expect(shown(reader)).toEqual(answered)
    expect(others()).toEqual(Buffer.concat([ready, parameter, notice, ready]))
  })

  test('behind the end of the flight before', () => {
    const { reader, take, others } = open()
    reader.begin()
    take(complete('BEGIN'), ready, parameter, parameter.subarray(0, 3))
    expect(shown(reader)).toEqual([['BEGIN', []]])
    reader.begin()
    take(parameter.subarray(3), ...answer, ready)
    expect(shown(reader)).toEqual(answered)
    expect(others()).toEqual(Buffer.concat([ready, parameter, parameter, notice, ready]))
  })

  test('and a flight that the end of the one before begins', () => {
    const reader = new FlightReader()
    const others: string[] = []
    const onOther = (bytes: Buffer): void => {
      others.push(bytes.toString('latin1', 0, 1))
      if (others.length === 1) reader.begin()
    }
    reader.begin()
    reader.take(Buffer.concat([ready, parameter.subarray(0, 3)]), onOther)
    reader.take(Buffer.concat([parameter.subarray(3), ...answer, ready]), onOther)
    expect(shown(reader)).toEqual(answered)
    expect(others).toEqual(['Z', 'S', 'N', 'Z'])
  })
})

test('however the network cuts what comes, node-postgres gets whole messages, and all of a flight is read', () => {
  const before = Buffer.concat([parameter, ready])
  const flight = Buffer.concat([...answer, ready, parameter])
  const cuts = (length: number) => fc.uniqueArray(fc.nat(length), { maxLength: 8 })
  fc.assert(
    fc.property(cuts(before.length), cuts(flight.length), (first, second) => {
      const { reader, take, others } = open()
      for (const piece of cutAt(before, first)) take(piece)
      reader.begin()
      for (const piece of cutAt(flight, second)) take(piece)
      expect(shown(reader)).toEqual(answered)
      expect(others()).toEqual(Buffer.concat([before, notice, ready, parameter]))
    }),
  )
})

function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.toSorted((one, other) => one - other), bytes.length]
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end))
}

describe.each([0, 3, -1, -(2 ** 31)])('the length %d is none', length => {
  const broken = message('D')
  broken.writeInt32BE(length, 1)

  test('in a flight, before it and behind it', () => {
    const inFlight = open()
    inFlight.reader.begin()
    expect(inFlight.take(row(1), broken, ready)).toBe(false)
    expect(open().take(ready, broken)).toBe(false)
    const behind = open()
    behind.reader.begin()
    expect(behind.take(complete('BEGIN'), ready, broken)).toBe(false)
  })
})

test.each([4, 2 ** 31 - 1])('the length %d is one', length => {
  const { reader, take } = open()
  const long = message('D')
  long.writeInt32BE(length, 1)
  expect(take(long)).toBe(true)
  reader.begin()
  expect(take(long)).toBe(true)
})

test('a server that sends what is no message is given up', async () => {
  const server = createServer(socket => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.write(Buffer.from([0x52, 0, 0, 0, 0, 0])))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  await expect(Session.connect(`postgres://nobody@127.0.0.1:${port}/none`)).rejects.toThrow('terminated unexpectedly')
  server.close()
})
