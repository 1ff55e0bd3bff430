import { createServer, type Server } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { dialect, frameOf } from '../../test/support/iso-server.ts'
import { type Elements, messageOf, purchaseElements } from '../../test/support/terminal.ts'
import { defaultFraming, FrameReader } from '../codec/framing.ts'
import type { Message } from '../codec/message.ts'
import { connectIsoClient, type IsoClient } from './client.ts'

let server: Server | undefined
let client: IsoClient | undefined
afterEach(async () => {
  await client?.close()
  await new Promise<void>(resolve => (server === undefined ? resolve() : server.close(() => resolve())))
})

/** A client of a switch that gathers `count` requests and then sends the bytes that `answer` makes of them. */
async function dial(count: number, answer: (requests: Message[]) => Buffer | null) {
  server = createServer(socket => {
    const reader = new FrameReader(defaultFraming)
    const requests: Message[] = []
    socket.on('data', chunk => {
      for (const { body } of reader.push(chunk as Buffer).frames) requests.push(dialect.unpack(body).message)
      if (requests.length < count) return
      const bytes = answer(requests.splice(0))
      if (bytes === null) socket.destroy()
      else socket.write(bytes)
    })
  })
  await new Promise<void>(resolve => server?.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  client = await connectIsoClient({ host: '127.0.0.1', port, dialect, timeoutMs: 2000 })
  return client
}

const request = (over: Elements = {}) => messageOf('0200', { ...purchaseElements, ...over })
const replyOf = ({ fields }: Message, code: string) =>
  frameOf(messageOf('0210', { 7: fields[7], 11: fields[11], 39: code, 41: fields[41] }))

test('replies in any order find their requests: the same STAN on two terminals, or at another time', async () => {
  const terminal = await dial(4, ([a, b, c, d]) =>
    Buffer.concat([replyOf(c!, '03'), replyOf(d!, '04'), replyOf(a!, '01'), replyOf(b!, '02')]),
  )
  const replies = await Promise.all([
    terminal.send(request()),
    terminal.send(request({ 41: 'T0000002' })),
    terminal.send(request({ 7: '1121143001' })),
    terminal.send(request({ 11: '000002' })),
  ])
  expect(replies.map(({ fields }) => fields[39])).toEqual(['01', '02', '03', '04'])
})

test('copies of one request get one reply each', async () => {
  const terminal = await dial(3, requests => Buffer.concat(requests.map(copy => replyOf(copy, '00'))))
  expect(await Promise.all([request(), request(), request()].map(copy => terminal.send(copy)))).toHaveLength(3)
})

test('a reply to nobody is passed over, and one without DE7 and DE41 is taken', async () => {
  const terminal = await dial(1, ([asked]) =>
    Buffer.concat([
      replyOf(request({ 11: '000009' }), '00'),
      replyOf(request({ 41: 'T0000009' }), '00'),
      frameOf(messageOf('0212', { 11: asked!.fields[11], 39: '00' })),
      frameOf(messageOf('0210', { 11: asked!.fields[11], 39: '30' })),
    ]),
  )
  expect((await terminal.send(request())).fields[39]).toBe('30')
})

test.each<[string, (requests: Message[]) => Buffer | null, string]>([
  ['silence', () => Buffer.alloc(0), 'timeout'],
  ['a lost connection', () => null, 'connection_lost'],
  ['garbage', () => Buffer.from([0, 3, 1, 2, 3]), 'bad_answer'],
  ['an endless frame', () => Buffer.from([0xff, 0xff]), 'bad_answer'],
])('%s', async (_name, answer, code) => {
  const terminal = await dial(1, answer)
  await expect(terminal.send(request(), 200)).rejects.toMatchObject({ name: 'NoAnswerError', code })
})

test('nobody is there', async () => {
  const options = { host: '127.0.0.1', port: 1, dialect }
  await expect(connectIsoClient(options)).rejects.toMatchObject({ code: 'connection_lost' })
})
