/** Money is bigint, in minor units of its asset: Math.min does not take it. */
export const lesser = (one: bigint, other: bigint): bigint => (one < other ? one : other)

/**
 * The most that is on an account, above zero or below: the last integer that every JSON reader takes exactly. What the
 * database could store besides could not be told.
 */
export const accountMax = 2n ** 53n - 1n

/** The most that an adjustment leaves on one side of a lot, where it never gets less: half of what a row can store. */
export const sideMax = 2n ** 62n

/** For a load of so much the other lots are looked at: smaller ones are over a million before they are too much. */
export const largeLoadMin = accountMax / 2n ** 20n
