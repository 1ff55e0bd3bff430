import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import type { Dialect } from '../codec/dialect.ts'
import type { Framing } from '../codec/framing.ts'
import type { Pressure } from '../engine/result.ts'
import type { IdentityRule } from './command.ts'
import { type CloseReason, Connection } from './connection.ts'
import { Exchanges } from './exchange.ts'
import type { ExchangeDeps } from './exchange-types.ts'
import { FrameLog } from './frame-log.ts'
import { KeyExchange, type KeyExchangeSettings, type StoreKey } from './key-exchange.ts'
import { defaultIsoLimits, type IsoLimits } from './limits.ts'
import { type Keys, MacGuard, type MacSettings } from './mac-guard.ts'
import { PinCheck, type PinSettings, type PinSources } from './pin-check.ts'
import { SignOns } from './sign-ons.ts'

/** One port. Everything that differs between fleets is here, as data. */
export interface IsoListener {
  /** The address to listen on; left out: loopback. */
  readonly host?: string
  /** 0: any free one. */
  readonly port: number
  readonly framing: Framing
  readonly dialect: Dialect
  /** A tenant's id, or the tenant of each acquiring institution (DE32). */
  readonly tenant: number | ReadonlyMap<string, number>
  /** `local`: DE13 and DE12 stand for DE7, for terminals that renew DE7 on a repeat. */
  readonly identity?: IdentityRule
  /** Names the listener's own keys. */
  readonly name?: string
  readonly mac?: MacSettings
  readonly pin?: PinSettings
  /** `required`: nothing but a sign-on is looked at before it. */
  readonly signOn?: 'required' | 'free'
  /** Terminals get new session keys by 0800 with DE70 101. */
  readonly keyExchange?: KeyExchangeSettings
  /** The switch asks a peer that says nothing for so long whether it is there. */
  readonly echoEveryMs?: number
  /** Takes a line for each message, masked. Left out: there are none. */
  readonly frameLog?: (line: string) => void
  /** Reads key and certificates, anew for each reload. Left out: plain TCP. */
  readonly tls?: () => TlsMaterial
}

/** PEM texts. */
interface TlsMaterial {
  readonly key: string
  readonly cert: string
  /** With it a terminal must show a certificate that one of these has signed, or it is cut off. */
  readonly ca?: string
}

export interface IsoServerDeps extends ExchangeDeps {
  readonly listeners: readonly IsoListener[]
  readonly pressure: Pressure
  /** Needed for a listener with `mac` or `pin`. */
  readonly keys?: Keys
  /** Needed for a listener with `pin`. */
  readonly pinSources?: PinSources
  /** Needed for a listener with `keyExchange`. */
  readonly storeKey?: StoreKey
  readonly limits?: Partial<IsoLimits>
  /** A connection was closed, or turned away because there are `connectionsMax`. */
  readonly onConnectionClosed?: (reason: CloseReason | 'too_many' | 'tls_handshake') => void
}

export interface IsoServer {
  /** The port of each listener, in order. Rejects if one cannot be had; then none listens. */
  listen(): Promise<readonly number[]>
  readonly connectionCount: number
  /** New connections get key and certificates as they are now. Throws, changing nothing, if one is no good. */
  reloadTls(): void
  /** Takes no more connections and messages, answers what is in flight, closes. After `timeLimitMs` it cuts off. */
  close(timeLimitMs: number): Promise<void>
}

const loopback = '127.0.0.1'
const checkEveryMs = 500
/** Of one connection when many wait: a line that carries many terminals does not keep the others waiting. */
const framesPerTurn = 8
/** After a cut a whole fleet connects at once, faster than connections are accepted. The kernel has a limit too. */
const backlog = 4096

/** The terminal edge: ISO 8583 over TCP, on any number of ports. */
export function createIsoServer(deps: IsoServerDeps): IsoServer {
  const limits: IsoLimits = { ...defaultIsoLimits, ...deps.limits }
  const connections = new Set<Connection>()
  const waiting = new Set<Connection>()
  let isWaiting = false
  let isTurn = false
  /** Sockets, TLS handshakes that are under way among them. */
  let open = 0
  let turnedAway = 0
  let isDraining = false
  const reloads: (() => void)[] = []
  let onEmpty: (() => void) | undefined
  let timer: NodeJS.Timeout | undefined

  /** For connections the engine is full as long as others wait, but for the one whose turn it is. */
  const pressure: Pressure = {
    get isFull() {
      return deps.pressure.isFull || (waiting.size > 0 && !isTurn)
    },
    onceDrained: listener => deps.pressure.onceDrained(listener),
  }

  /** One listener at the engine for all connections. Who has had a turn waits again behind those who have not. */
  function whenRoom(connection: Connection): void {
    waiting.add(connection)
    awaitRoom()
  }

  function awaitRoom(): void {
    if (isWaiting || waiting.size === 0) return
    isWaiting = true
    deps.pressure.onceDrained(() => {
      isWaiting = false
      isTurn = true
      for (const waiter of waiting) {
        if (deps.pressure.isFull) break
        waiting.delete(waiter)
        waiter.pump(framesPerTurn)
      }
      isTurn = false
      awaitRoom()
    })
  }

  function admit(socket: Socket): void {
    open++
    socket.once('close', () => open--)
    if (open <= limits.connectionsMax && !isDraining) return
    turnedAway++
    socket.destroy()
    deps.onConnectionClosed?.('too_many')
  }

  function accept(socket: Socket, listener: IsoListener, exchanges: Exchanges): void {
    if (socket.destroyed) return
    const { framing } = listener
    const { log, now } = deps
    const echoEveryMs = listener.echoEveryMs ?? Number.POSITIVE_INFINITY
    const connection = new Connection(socket, {
      ...{ framing, exchanges, pressure, limits, log, echoEveryMs, whenRoom, now },
    })
    connections.add(connection)
    socket.once('close', () => {
      connections.delete(connection)
      waiting.delete(connection)
      deps.onConnectionClosed?.(connection.closeReason)
      if (connections.size === 0) onEmpty?.()
    })
  }

  function checkLimits(): void {
    const now = deps.now()
    for (const connection of connections) connection.checkLimits(now)
    if (turnedAway === 0) return
    deps.log.warn({ count: turnedAway, connectionsMax: limits.connectionsMax }, 'terminal connections turned away')
    turnedAway = 0
  }

  const servers = deps.listeners.map(listener => {
    const { dialect, tenant, identity = 'transmission' } = listener
    const frameLog = listener.frameLog && new FrameLog(dialect.format, listener.frameLog, deps.now)
    const exchanges = new Exchanges(deps, { dialect, tenant, identity, frameLog, ...guardsOf(listener, deps) })
    const options = {
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: limits.keepAliveMs,
    }
    const onSocket = (socket: Socket): void => accept(socket, listener, exchanges)
    const server =
      listener.tls === undefined ? createServer(options, onSocket) : tlsServer(listener.tls, options, onSocket)
    server.prependListener('connection', admit)
    server.on('error', error => deps.log.error({ port: listener.port, error: error.message }, 'terminal listener'))
    return { server, listener }
  })

  function tlsServer(read: () => TlsMaterial, options: TlsOptions, onSocket: (socket: Socket) => void): Server {
    const server = createTlsServer({ ...options, ...secureOptions(read()), handshakeTimeout: limits.handshakeMs })
    server.on('secureConnection', onSocket)
    server.on('tlsClientError', (error, socket) => {
      const code = (error as NodeJS.ErrnoException).code ?? error.name
      deps.log.info(
        { peer: `${socket.remoteAddress ?? 'gone'}:${socket.remotePort ?? 0}`, code },
        'TLS handshake failed',
      )
      deps.onConnectionClosed?.('tls_handshake')
      socket.destroy()
    })
    reloads.push(() => server.setSecureContext(secureOptions(read())))
    return server
  }

  return {
    get connectionCount() {
      return connections.size
    },
    reloadTls() {
      for (const reload of reloads) reload()
    },
    async listen() {
      const ports: number[] = []
      try {
        for (const { server, listener } of servers) ports.push(await listenOn(server, listener))
      } catch (error) {
        for (const { server } of servers) server.close()
        throw error
      }
      timer = setInterval(checkLimits, checkEveryMs)
      timer.unref()
      return ports
    },
    async close(timeLimitMs) {
      isDraining = true
      for (const { server } of servers) server.close()
      if (connections.size > 0) {
        await new Promise<void>(resolve => {
          onEmpty = resolve
          const cutOff = setTimeout(() => {
            deps.log.warn({ count: connections.size }, 'terminal connections cut off: the time to drain has run out')
            for (const connection of connections) connection.destroy()
          }, timeLimitMs)
          for (const connection of connections) connection.retire('drain', {})
          cutOff.unref()
        })
      }
      clearInterval(timer)
    },
  }
}

const secureOptions = ({ key, cert, ca }: TlsMaterial): TlsOptions => ({
  key,
  cert,
  minVersion: 'TLSv1.2',
  ...(ca === undefined ? {} : { ca, requestCert: true, rejectUnauthorized: true }),
})

function guardsOf(listener: IsoListener, { keys, pinSources, storeKey: store, now }: IsoServerDeps) {
  const { dialect, mac, pin, signOn, keyExchange, name = '' } = listener
  const signOns = signOn === 'required' ? new SignOns() : undefined
  if (mac === undefined && pin === undefined && keyExchange === undefined) return { signOns }
  if (keys === undefined || (pin !== undefined && pinSources === undefined)) {
    throw new Error(`listener ${name} checks MACs or PINs, and there are no keys`)
  }
  if (keyExchange !== undefined && store === undefined) throw new Error(`listener ${name} has no place for new keys`)
  const guard = mac === undefined ? undefined : new MacGuard(dialect, mac, name, keys)
  const check = pin === undefined ? undefined : new PinCheck(pin, name, keys, pinSources!)
  return { signOns, keyExchange: exchangeOf(), mac: guard, pin: check }

  function exchangeOf(): KeyExchange | undefined {
    if (keyExchange === undefined) return undefined
    if (mac === undefined) throw new Error(`listener ${name} changes keys, and checks no MACs`)
    const isProved = (key: Buffer): boolean => guard?.proved.has(key) === true || check?.proved.has(key) === true
    return new KeyExchange(keyExchange, { mac, pin }, { keys: keys!, store: store!, now, isProved })
  }
}

function listenOn(server: Server, { host = loopback, port }: IsoListener): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, backlog }, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}
