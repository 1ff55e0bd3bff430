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
