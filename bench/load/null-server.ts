import { createServer, type Socket } from 'node:net'
import { defaultFraming, FrameReader } from '../../src/codec/framing.ts'
import { answerTemplateOf, type FrameTemplate, templatesOf } from '../../src/load/frames.ts'
import { dialect } from './dialect.ts'

const frameHeaderBytes = 2
const stanDigits = 6
const letterP = 0x50

const body = JSON.stringify({ id: '0000000000', phase: 'authorized' })
const httpHead = (status: string): string =>
  `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
const created = Buffer.from(`${httpHead('201 Created')}${body}`)
const ok = Buffer.from(`${httpHead('200 OK')}${body}`)
const newPath = '/v1/transactions HTTP'

/**
 * Answers at once and does nothing: what a load generator reaches against it is the generator's own limit. It takes
 * frames of this repository's generator and HTTP requests without pipelining, and tells its port to its parent.
 */
const server = createServer(socket => {
  socket.setNoDelay(true)
  socket.on('error', () => {})
  socket.once('data', first => {
    const isHttp = (first as Buffer)[0] === letterP
    const answer = isHttp ? answerHttp(socket) : answerFrames(socket)
    answer(first as Buffer)
    socket.on('data', chunk => answer(chunk as Buffer))
  })
})

function answerHttp(socket: Socket): (chunk: Buffer) => void {
  return chunk => socket.write(chunk.includes(newPath) ? created : ok)
}

const requests = templatesOf(dialect, { terminal: 'T0000001', merchant: 'M00000000000001' }, '364')
/** By the MTI of the request. */
const steps = new Map([
  ['0200', { stanAt: requests.authorize.stanAt, answer: answerTemplateOf(dialect, '0210') }],
  ['0202', { stanAt: requests.confirm.stanAt, answer: answerTemplateOf(dialect, '0212') }],
  ['0400', { stanAt: requests.reverse.stanAt, answer: answerTemplateOf(dialect, '0410') }],
])

function answerFrames(socket: Socket): (chunk: Buffer) => void {
  const reader = new FrameReader(defaultFraming)
  return chunk => {
    const answers = reader.push(chunk).frames.map(({ body: request }) => {
      const { stanAt, answer } = steps.get(request.toString('latin1', 0, 4))!
      return answerTo(request, stanAt - frameHeaderBytes, answer)
    })
    socket.write(Buffer.concat(answers))
  }
}

function answerTo(request: Buffer, stanAt: number, { frame, stanAt: answerStanAt }: FrameTemplate): Buffer {
  const answer = Buffer.from(frame)
  request.copy(answer, answerStanAt, stanAt, stanAt + stanDigits)
  return answer
}

server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.(typeof address === 'object' && address !== null ? address.port : 0)
})
process.on('SIGINT', () => {})
process.on('disconnect', () => process.exit())
