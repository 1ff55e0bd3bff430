/** How much of everything the terminal edge takes. Full means that it stops reading, never that it refuses. */
export interface IsoLimits {
  /** On all listeners together; one more is closed at once. */
  readonly connectionsMax: number
  /** Messages of one connection that have no answer yet. */
  readonly inFlightMax: number
  /** Answers that one peer has not taken yet, in bytes. */
  readonly unsentBytesMax: number
  /** A connection on which nothing has come for so long is closed. Terminals echo (0800, DE70 301) to keep theirs. */
  readonly idleMs: number
  /** The longest time from the first byte of a frame to its last. */
  readonly frameMs: number
  /** The longest time that a TLS handshake may take. */
  readonly handshakeMs: number
  /** The longest time in which a peer takes not one byte of its answers. */
  readonly unsentMs: number
  /** After so long without traffic TCP asks whether the peer is still there: it finds half-open connections. */
  readonly keepAliveMs: number
  /** How long a closed connection waits for the peer to close its side, so that the last answers arrive. */
  readonly lingerMs: number
}

export const defaultIsoLimits: IsoLimits = {
  connectionsMax: 10_000,
  inFlightMax: 256,
  unsentBytesMax: 262_144,
  idleMs: 900_000,
  frameMs: 10_000,
  handshakeMs: 10_000,
  unsentMs: 10_000,
  keepAliveMs: 30_000,
  lingerMs: 1_000,
}
