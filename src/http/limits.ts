/** Everything the HTTP edge takes has a maximum. Sizes in bytes, times in milliseconds. */
export const limits = {
  bodyBytesMax: 64 * 1024,
  headerBytesMax: 16 * 1024,
  headersMax: 64,
  /** In one path segment; an id has at most 16 digits. */
  pathParamLengthMax: 64,
  connectionsMax: 10_000,
  /** For the headers, then for the whole request: a slow sender does not keep a connection. */
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 15_000,
  /** Longer than the idle time of the usual load balancers (60 s), so that they close first and lose no request. */
  keepAliveTimeoutMs: 75_000,
  /** Without a byte in either direction. Longer than the slowest answer of the engine. */
  connectionTimeoutMs: 90_000,
  idempotencyKeyLengthMax: 255,
  /** Field errors told in one answer. */
  fieldErrorsMax: 20,
} as const
