/** Money is bigint, in minor units of its asset: Math.min does not take it. */
export const lesser = (one: bigint, other: bigint): bigint => (one < other ? one : other)

/** The most that an account ever has on either side: half of what the database can store. */
export const accountMax = 2n ** 62n
