/**
 * What is to be done about a failed batch.
 * `again`: it has had no effect and may well succeed. `locked`: a row was held by somebody else for too long.
 * `away`: the database or the way to it is gone. `poison`: the statement or its values are at fault.
 */
type Fault = 'again' | 'locked' | 'away' | 'poison'

/** A failed batch. `inDoubt`: COMMIT had been written, so there may be an effect all the same. */
export class BatchError extends Error {
  readonly fault: Fault
  readonly inDoubt: boolean

  constructor(fault: Fault, inDoubt: boolean, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.fault = fault
    this.inDoubt = inDoubt
  }
}

/** SQLSTATE (PostgreSQL, appendix A) and classes of it. CH001 is our own: a write that did not meet its rows. */
const faults: Readonly<Record<string, Fault>> = {
  '40': 'again',
  '23505': 'again',
  CH001: 'again',
  '57014': 'again',
  // A partition that a statement names has been put away.
  '42P01': 'again',
  '55P03': 'locked',
  '08': 'away',
  '25006': 'away',
  '25P03': 'away',
  '25P04': 'away',
  '53': 'away',
  '57': 'away',
  '58': 'away',
}

/** Sorts an error of node-postgres. One without a SQLSTATE comes from the socket. */
export function faultOf(error: unknown): Fault {
  const code = sqlstateOf(error)
  if (code === null) return 'away'
  return faults[code] ?? faults[code.slice(0, 2)] ?? 'poison'
}

export function sqlstateOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null
  return typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code) ? error.code : null
}
