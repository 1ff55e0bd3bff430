import { createServer, connect as dial, type Socket } from 'node:net'

/** Where in a batch the way to the database is broken, and how much of the flight still arrives there. */
export const steps = {
  /** Nothing of the first flight. */
  'before BEGIN': { announcedBy: 'begin\0', arrives: 'none' },
  /** All of the first flight. */
  'in the lock': { announcedBy: 'lock_holders', arrives: 'all' },
  /** The second flight, up to the update of the lots that were read. */
  'in the write': { announcedBy: 'update_read_lots\0', arrives: 'before' },
  /** The second flight without its COMMIT. */
  'COMMIT sent and lost': { announcedBy: 'commit\0', arrives: 'before' },
  /** All of the second flight; the answer is lost. */
  'COMMIT sent and done': { announcedBy: 'commit\0', arrives: 'all' },
  /** All of it, and the answer too. */
  'COMMIT answered': { announcedBy: 'commit\0', arrives: 'answered' },
  'in the rollback': { announcedBy: 'ROLLBACK', arrives: 'all' },
  /** Logged in; the first question is not answered. */
  'while connecting': { announcedBy: 'pg_is_in_recovery', arrives: 'all' },
} as const satisfies Record<string, { announcedBy: string; arrives: 'none' | 'before' | 'all' | 'answered' }>

export type Step = keyof typeof steps

/**
 * cut: both sides lose the connection. blackhole: nothing passes any more, and nobody is told. half-open: what the
 * switch sends arrives, what the database answers does not.
 */
export type Break = 'cut' | 'blackhole' | 'half-open'

/** A TCP proxy between the engine and PostgreSQL that goes wrong when it is told to. */
export interface DatabaseProxy {
  /** The database through this proxy. */
  readonly url: string
  /** Breaks one connection, that of the next batch that comes to this step; settles when it has. */
  strike(how: Break, step: Step): Promise<void>
  /** Every answer of the database is held up for so long. */
  delayMs: number
  /** Connections are accepted, and nothing passes on them. */
  isSilent: boolean
  close(): Promise<void>
}

interface Wire {
  readonly inner: Socket
  readonly outer: Socket
  up: boolean
  down: boolean
}

/** Until the database has read what was sent to it last, and begun to work on it. */
const readMs = 20

export async function startProxy(databaseUrl: string): Promise<DatabaseProxy> {
  const target = new URL(databaseUrl)
  const wires = new Set<Wire>()
  let armed: { how: Break; step: Step; struck: () => void } | null = null
  let answering: { wire: Wire; breakIt: () => void } | null = null

  const server = createServer({ noDelay: true }, inner => {
    const outer = dial({ host: target.hostname, port: Number(target.port), noDelay: true })
    const wire: Wire = { inner, outer, up: !proxy.isSilent, down: !proxy.isSilent }
    wires.add(wire)
    for (const [socket, other] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      socket.on('error', () => undefined)
      socket.on('close', () => {
        // The database's end is not told to the switch where nothing passes to it.
        if (socket === inner || wire.down) other.destroy()
        if (inner.destroyed && outer.destroyed) wires.delete(wire)
      })
    }
    inner.on('data', (bytes: Buffer) => upward(wire, bytes))
    outer.on('data', (bytes: Buffer) => {
      if (proxy.delayMs > 0) setTimeout(() => downward(wire, bytes), proxy.delayMs)
      else downward(wire, bytes)
    })
  })

  function upward(wire: Wire, bytes: Buffer): void {
    if (!wire.up) return
    const at = armed === null ? -1 : bytes.indexOf(steps[armed.step].announcedBy)
    if (armed === null || at < 0) {
      wire.outer.write(bytes)
      return
    }
    const { how, struck, step } = armed
    const { arrives } = steps[step]
    armed = null
    const breakIt = (): void => {
      if (how === 'cut') {
        wire.inner.resetAndDestroy()
        wire.outer.destroy()
      }
      wire.up = how === 'half-open'
      wire.down = false
      struck()
    }
    if (arrives === 'answered') {
      answering = { wire, breakIt }
      wire.outer.write(bytes)
      return
    }
    wire.down = false
    if (arrives === 'none' && how !== 'half-open') {
      breakIt()
      return
    }
    const passing = arrives === 'all' || how === 'half-open' ? bytes : bytes.subarray(0, startOfMessage(bytes, at))
    wire.outer.write(passing)
    wire.up = how === 'half-open'
    setTimeout(breakIt, readMs)
  }

  function downward(wire: Wire, bytes: Buffer): void {
    if (!wire.down || wire.inner.destroyed) return
    wire.inner.write(bytes)
    if (answering?.wire !== wire || !bytes.includes('COMMIT\0')) return
    const { breakIt } = answering
    answering = null
    setTimeout(breakIt, readMs)
  }

  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = new URL(databaseUrl)
  const address = server.address()
  url.port = String(typeof address === 'object' && address !== null ? address.port : 0)
  const proxy: DatabaseProxy = {
    url: url.href,
    delayMs: 0,
    isSilent: false,
    strike: (how, step) =>
      new Promise(struck => {
        armed = { how, step, struck }
      }),
    async close() {
      for (const { inner, outer } of wires) {
        inner.destroy()
        outer.destroy()
      }
      await new Promise(resolve => server.close(resolve))
    },
  }
  return proxy
}

/** Where the message with the byte `at` starts: each is a type, then four bytes of length. A flight starts with one. */
function startOfMessage(bytes: Buffer, at: number): number {
  let start = 0
  for (;;) {
    const next = start + 1 + bytes.readInt32BE(start + 1)
    if (next > at) return start
    start = next
  }
}
