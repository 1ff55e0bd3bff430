import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { LoadSpec } from './spec.ts'

/** Where a load goes. */
export type Target = Pick<LoadSpec, 'host' | 'port' | 'tls'>

const openMaxMs = 10_000

export function openSocket({ host, port, tls }: Target): Socket {
  if (tls === null) return connect({ host, port, noDelay: true })
  return connectTls({ host, port, servername: host, ...(tls.ca === null ? {} : { ca: tls.ca }) }).setNoDelay(true)
}

const readBytesMax = 64 * 1024
/** One for all: what has been read into it is looked at before anything else is read. */
const readInto = Buffer.alloc(readBytesMax)

/**
 * A socket whose reads take neither a buffer of their own nor a stream: an eighth of the cost of a line with one
 * request at a time. `onChunk` may keep nothing of its chunk.
 */
export function openReadingSocket(target: Target, onChunk: (chunk: Buffer) => void): Socket {
  const { host, port, tls } = target
  if (tls !== null) return openSocket(target).on('data', onChunk)
  const callback = (bytes: number): boolean => {
    onChunk(readInto.subarray(0, bytes))
    return true
  }
  return connect({ host, port, noDelay: true, onread: { buffer: readInto, callback } })
}

/** Rejects where the socket does not open, or not soon. */
export function openedSocket(socket: Socket, { host, port, tls }: Target): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.destroy(new Error(`no connection to ${host}:${port} in ${openMaxMs / 1000} s`))
    }, openMaxMs)
    socket.once(tls === null ? 'connect' : 'secureConnect', () => {
      clearTimeout(timer)
      resolve()
    })
    socket.once('error', error => {
      clearTimeout(timer)
      reject(error)
    })
  })
}
