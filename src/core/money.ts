/** Money is bigint, in minor units of its asset: Math.min does not take it. */
export const lesser = (one: bigint, other: bigint): bigint => (one < other ? one : other)

/**
 * The most that is on an account, above zero or below: the last integer that every JSON reader takes exactly. What the
 * database could store besides could not be told.
 */
export const accountMax = 2n ** 53n - 1n

/** The most that an adjustment leaves on one side of a lot, where it never gets less: half of what a row can store. */
export const sideMax = 2n ** 62n

/** An amount from this on, that comes onto an account, is compared with what is there: see `filledMax`. */
export const largeLoadMin = accountMax / 2n ** 20n

/**
 * Amounts from `largeLoadMin` on fill an account up to half only. Smaller loads need not be looked at with what is
 * there, which would have to be read: over half a million of them fit into the other half.
 */
export const filledMax = accountMax / 2n
